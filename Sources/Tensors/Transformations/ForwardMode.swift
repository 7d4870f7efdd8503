/// The value of `f` at a point and its derivative along a direction, in one pass: a Jacobian-vector product.
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

/// The value of `f` at parameters and its derivative along a direction with the structure of their `learned`.
///
/// Throws `FlowError.structure` when the structures differ, and what `f` throws.
public func jvp(
  at point: Params, along tangent: Params, _ f: (Params) throws -> Tensor
) throws -> (value: Tensor, tangent: Tensor) {
  let level = Level.next()
  let duals = try point.zipLearned(with: tangent, who: "jvp") {
    Tensor(Dual(level: level, primal: $0, tangent: $1))
  }
  return parts(of: try f(duals), level: level)
}

/// A row-wise function's results and how they change along a direction: two results at once, as a layer has.
func jvp(
  at point: Tensor, along tangent: Tensor, _ f: (Tensor) throws -> (Tensor, Tensor)
) rethrows -> (values: (Tensor, Tensor), tangents: (Tensor, Tensor)) {
  let level = Level.next()
  let (a, b) = try f(Tensor(Dual(level: level, primal: point, tangent: tangent)))
  let (first, second) = (parts(of: a, level: level), parts(of: b, level: level))
  return ((first.value, second.value), (first.tangent, second.tangent))
}

private func parts(of y: Tensor, level: Int) -> (value: Tensor, tangent: Tensor) {
  if case .dual(let dual) = y.payload, dual.level == level { return (dual.primal, dual.tangent) }
  return (y, .zeros(y.shape, dtype: y.dtype))
}

/// The Jacobian ∂f/∂x of shape `f(x).shape + x.shape`, by one forward pass an element of x.
///
/// - Precondition: the shapes' ranks add up to at most 6.
public func jacobian(at point: Tensor, _ f: (Tensor) throws -> Tensor) rethrows -> Tensor {
  var columns: [Tensor] = []
  var shape = point.shape
  for position in 0..<point.count {
    let direction = unitVector(position, count: point.count, dtype: point.dtype).reshaped(to: point.shape)
    let y = try jvp(at: point, along: direction, f)
    columns.append(y.tangent.reshaped(to: [y.tangent.count]))
    shape = y.value.shape
  }
  return stack(columns, axis: 1).reshaped(to: Shape(shape.sizes + point.shape.sizes))
}

/// The Jacobians of a row-wise function for every row at once: `[batch, outputs, inputs]`, by one forward pass an input.
///
/// Right only where row i of the result depends on row i of the input alone.
public func rowJacobians(at point: Tensor, _ f: (Tensor) throws -> Tensor) rethrows -> Tensor {
  var columns: [Tensor] = []
  for position in 0..<point.shape.sample.count {
    let direction = unitVector(position, count: point.shape.sample.count, dtype: point.dtype)
      .reshaped(to: point.shape.sample).broadcast(to: point.shape)
    let tangent = try jvp(at: point, along: direction, f).tangent
    columns.append(tangent.reshaped(to: [tangent.rows, tangent.shape.sample.count]))
  }
  return stack(columns, axis: 2)
}

private func unitVector(_ position: Int, count: Int, dtype: DType) -> Tensor {
  var values = [Double](repeating: 0, count: count)
  values[position] = 1
  return Tensor(values, dtype: dtype)
}
