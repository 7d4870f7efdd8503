import Randomness
import Tensors

/// A velocity field of a continuous flow: a key and a site turn it into parameters and a pure function
/// v(x, t).
///
/// A field is smooth, and Lipschitz in x. Then the motion along it from time 0, the data, to time 1, the
/// latents, is a bijection.
public protocol VelocityField: Sendable {
  /// Makes the initial parameters and the velocity for samples and contexts as described by `site`.
  ///
  /// The velocity gets samples as vectors, `[rows, D]`, whatever the shape of a sample.
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> (params: Params, velocity: Velocity)
}

/// The velocity of an initialized field, with the trace of its Jacobian.
public struct Velocity: Sendable {
  /// The velocity `[rows, D]` at positions x `[rows, D]`. The time is a scalar, or a column `[rows, 1]`.
  ///
  /// Row i of the result depends on row i of the arguments alone.
  public typealias Function =
    @Sendable (_ params: Params, _ x: Tensor, _ time: Tensor, _ context: Tensor?) -> Tensor
  /// The velocity and the trace in one pass.
  public typealias TracedFunction =
    @Sendable (_ params: Params, _ x: Tensor, _ time: Tensor, _ context: Tensor?) -> Traced

  /// A velocity, the trace of its Jacobian, and the slope of a potential.
  public struct Traced {
    /// The velocity, `[rows, D]`.
    public let velocity: Tensor
    /// tr ∂v/∂x, `[rows]`.
    public let trace: Tensor
    /// ∂Φ/∂t, `[rows]`, of a field v = −∇Φ that has a potential; nil for other fields.
    public let timeSlope: Tensor?

    /// Makes the result of a traced function.
    public init(velocity: Tensor, trace: Tensor, timeSlope: Tensor? = nil) {
      (self.velocity, self.trace, self.timeSlope) = (velocity, trace, timeSlope)
    }
  }

  /// The velocity without its trace.
  public let function: Function
  /// The velocity with its trace in closed form; nil: D products with the Jacobian give the trace.
  public let closedForm: TracedFunction?
  /// Whether the field has a potential, so that the closed form gives its slope in time.
  public let hasPotential: Bool

  /// Makes a velocity.
  ///
  /// - Parameters:
  ///   - closedForm: the velocity with its exact trace, if there is a formula.
  ///   - hasPotential: whether the closed form gives `timeSlope`.
  /// - Precondition: a field with a potential has a closed form.
  public init(
    _ function: @escaping Function, closedForm: TracedFunction? = nil, hasPotential: Bool = false
  ) {
    require(!hasPotential || closedForm != nil, "the closed form gives the slope of a potential")
    (self.function, self.closedForm, self.hasPotential) = (function, closedForm, hasPotential)
  }

  /// The velocity with its exact trace.
  ///
  /// Without a closed form it costs D Jacobian-vector products.
  public func traced(_ params: Params, _ x: Tensor, _ time: Tensor, _ context: Tensor?) -> Traced {
    if let closedForm { return closedForm(params, x, time, context) }
    let (velocity, columns) = jacobian(params, x, time, context)
    return Traced(velocity: velocity, trace: Self.trace(columns))
  }

  /// The velocity and the columns of its Jacobian, `[rows, D]` each, by one forward-mode pass per column.
  func jacobian(
    _ params: Params, _ x: Tensor, _ time: Tensor, _ context: Tensor?
  ) -> (velocity: Tensor, columns: [Tensor]) {
    let (value, columns) = jacobianColumns(of: { function(params, $0, time, context) }, at: x)
    return (value, columns)
  }

  /// The sum of the diagonal, given the columns.
  static func trace(_ columns: [Tensor]) -> Tensor {
    let diagonal = columns.enumerated().map { j, column in column.sliced(axis: 1, j..<j + 1) }
    return concatenate(diagonal, axis: 1).sumPerRow()
  }
}

/// The values of a row-wise function of vectors and the columns of its Jacobians, `[rows, D]` each.
func jacobianColumns(of function: (Tensor) -> Tensor, at x: Tensor) -> (value: Tensor, columns: [Tensor]) {
  var (value, columns) = (Tensor?.none, [Tensor]())
  let size = x.shape[1]
  for j in 0..<size {
    let unit = Tensor((0..<size).map { $0 == j ? 1 : 0 }, shape: [1, size], dtype: x.dtype)
    let (y, column) = jvp(at: x, along: unit.broadcast(to: x.shape), function)
    value = y
    columns.append(column)
  }
  return (value ?? function(x), columns)
}
