import Tensors

/// The x with f(x; θ) = y, element by element, for a function that strictly increases in x.
///
/// A bracketed Newton iteration on values (`RootSearch`) finds two adjacent floats with y between their
/// values, and returns the better one. Derivatives of every order follow from the implicit function theorem,
/// in forward and reverse mode.
///
/// Cost: at most 400 evaluations of the function, mostly 5 to 10, and one more per derivative.
///
/// - Parameters:
///   - y: the values to reach.
///   - parameters: the tensors that the function depends on and is differentiated by. Captured tensors are
///     constants.
///   - bracket: constant bounds of x. Without them the search starts at x = y and reaches all floats.
///   - function: f and ∂f/∂x > 0, each element from the same element of x (and from any parameters).
/// - Returns: x in the shape of y. It is ±∞ where y is, and where f of every finite number is on one side of
///   y. It is NaN where y is, where f is NaN near x, where the bracket does not contain x, and where the
///   search did not end.
public func inverseOfMonotone(
  at y: Tensor, given parameters: [Tensor] = [], between bracket: (lower: Tensor, upper: Tensor)? = nil,
  _ function: @escaping @Sendable (_ x: Tensor, _ parameters: [Tensor]) -> (value: Tensor, slope: Tensor)
) -> Tensor {
  apply(
    MonotoneInverse(function: function, lower: bracket?.lower.detached, upper: bracket?.upper.detached),
    Operands([y] + parameters))[0]
}

/// x(y, θ) with f(x, θ) = y. The total derivative of that equation is f′ dx + ∂f/∂θ dθ = dy, hence
///
///     dx = (dy − ∂f/∂θ dθ) / f′   and, for a cotangent g of x:   ȳ = g / f′,   θ̄ = −(∂f/∂θ)ᵀ (g / f′).
///
/// The rules take f′ and ∂f/∂θ at the result, which is a tensor like any other to them: higher derivatives
/// come from differentiating the rules. (One Newton step on live values would give first derivatives only:
/// with x₀ constant, the second derivative of x₀ + (y − f(x₀)) / f′(x₀) by y is 0, not −f″ / f′³.)
struct MonotoneInverse: Primitive {
  let function: @Sendable (Tensor, [Tensor]) -> (value: Tensor, slope: Tensor)
  let lower, upper: Tensor?

  private func parameters(_ inputs: Operands) -> [Tensor] { (1..<inputs.count).map { inputs[$0] } }

  /// f(x, θ) as a function of one of its parameters.
  private func value(_ x: Tensor, _ parameters: [Tensor], by i: Int) -> (Tensor) -> Tensor {
    { parameter in
      var parameters = parameters
      parameters[i] = parameter
      return function(x, parameters).value
    }
  }

  func value(_ inputs: Operands) -> Operands {
    let parameters = parameters(inputs)
    let solver = MonotoneSolver { function($0, parameters) }
    guard let lower, let upper else { return Operands(solver.solve(inputs[0])) }
    return Operands(solver.solve(inputs[0], between: (lower, upper)))
  }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let (x, parameters) = (outputs[0], parameters(inputs))
    var total = tangents.optional(0)
    for (i, parameter) in parameters.enumerated() {
      guard let direction = tangents.optional(i + 1) else { continue }
      let change = jvp(at: parameter, along: direction, value(x, parameters, by: i)).tangent
      total = total.map { $0 - change } ?? -change
    }
    return Operands(total.map { $0 / function(x, parameters).slope })
  }

  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let (x, parameters) = (outputs[0], parameters(inputs))
    let g = cotangents[0] / function(x, parameters).slope
    var result = Operands(absent: inputs.count)
    if wanted[0] { result.set(0, to: g) }
    for (i, parameter) in parameters.enumerated() where wanted[i + 1] {
      result.set(i + 1, to: vjp(at: parameter, value(x, parameters, by: i)).pullback(-g))
    }
    return result
  }
}
