/// The value of a function at a point and its Jacobian-vector product with a direction, in one pass.
///
/// - Precondition: the tangent has the point's shape.
public func jvp(
  at point: Tensor, along tangent: Tensor, _ f: (Tensor) throws -> Tensor
) rethrows -> (value: Tensor, tangent: Tensor) {
  require(point.shape == tangent.shape, "jvp: point \(point.shape) and tangent \(tangent.shape)")
  let level = Level.next()
  let y = try f(Tensor(Dual(level: level, primal: point, tangent: tangent)))
  return parts(of: y, level: level)
}

/// The value of a function of parameters and its derivative along a direction, in one pass.
///
/// The direction has the structure of `point.learned`. Throws `FlowError.structure` when it does not, and
/// rethrows the errors of `f`.
public func jvp(
  at point: Params, along tangent: Params, _ f: (Params) throws -> Tensor
) throws -> (value: Tensor, tangent: Tensor) {
  let level = Level.next()
  let duals = try point.zipLearned(with: tangent, who: "jvp") {
    Tensor(Dual(level: level, primal: $0, tangent: $1))
  }
  return parts(of: try f(duals), level: level)
}

private func parts(of y: Tensor, level: Int) -> (value: Tensor, tangent: Tensor) {
  if case .dual(let dual) = y.payload, dual.level == level { return (dual.primal, dual.tangent) }
  return (y, .zeros(y.shape, dtype: y.dtype))
}

/// The Jacobian ∂f/∂x of shape `f(x).shape + x.shape`. It takes one forward pass per element of x.
///
/// - Precondition: the shapes' ranks add up to at most 6.
public func jacobian(at point: Tensor, _ f: (Tensor) throws -> Tensor) rethrows -> Tensor {
  var columns: [Tensor] = []
  var shape = point.shape
  for position in 0..<point.count {
    let direction = unitTensor(position, point.shape, dtype: point.dtype)
    let y = try jvp(at: point, along: direction, f)
    columns.append(y.tangent.reshaped(to: [y.tangent.count]))
    shape = y.value.shape
  }
  return stack(columns, axis: 1).reshaped(to: Shape(shape.sizes + point.shape.sizes))
}

/// The Jacobians of a row-wise function for all rows, `[batch, outputs, inputs]`, by one pass per input.
///
/// The result is correct only if row i of `f(x)` depends on row i of x alone.
public func rowJacobians(at point: Tensor, _ f: (Tensor) throws -> Tensor) rethrows -> Tensor {
  var columns: [Tensor] = []
  for position in 0..<point.shape.sample.count {
    let direction = unitTensor(position, point.shape.sample, dtype: point.dtype).broadcast(to: point.shape)
    let tangent = try jvp(at: point, along: direction, f).tangent
    columns.append(tangent.reshaped(to: [tangent.rows, tangent.shape.sample.count]))
  }
  return stack(columns, axis: 2)
}

/// The tensor with a one at a position and zeros elsewhere.
private func unitTensor(_ position: Int, _ shape: Shape, dtype: DType) -> Tensor {
  Tensor((0..<shape.count).map { $0 == position ? 1 : 0 }, shape: shape, dtype: dtype)
}
