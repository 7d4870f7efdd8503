/// The value of `f` at a point, and the map from a cotangent of the value to the cotangent of the point.
///
/// The pullback can be called any number of times.
public func vjp(
  at point: Tensor, _ f: (Tensor) throws -> Tensor
) rethrows -> (value: Tensor, pullback: (Tensor) -> Tensor) {
  let tape = Tape()
  let leaf = tape.leaf(point)
  let y = try Transformation.$isUnderWay.withValue(true) { try f(leaf) }
  return (
    tape.primal(of: y),
    { cotangent in
      require(cotangent.shape == y.shape, "pullback: expected shape \(y.shape), got \(cotangent.shape)")
      return tape.cotangents(of: [leaf], seeds: [(y, cotangent)], consuming: false)[0]
        ?? .zeros(point.shape, dtype: point.dtype)
    }
  )
}

/// The value of a scalar function of parameters and its gradient, which has the structure of their `learned`.
///
/// - Precondition: `f` gives a single number.
public func valueAndGradient(
  at point: Params, _ f: (Params) throws -> Tensor
) rethrows -> (value: Tensor, gradient: Params) {
  let (value, gradients) = try valueAndLeafGradients(
    at: point,
    seed: { loss in
      require(loss.count == 1, "a gradient needs a single number, got shape \(loss.shape)")
      return .ones(loss.shape, dtype: loss.dtype)
    }, f)
  return (value, point.learned.replacingLearned(with: gradients))
}

/// The value of a scalar function and its gradient at a point.
///
/// - Precondition: `f` gives a single number.
public func valueAndGradient(
  at point: Tensor, _ f: (Tensor) throws -> Tensor
) rethrows -> (value: Tensor, gradient: Tensor) {
  let (value, gradient) = try valueAndGradient(at: Params.leaf(point)) { try f($0.value!) }
  return (value, gradient.value!)
}

/// The gradient of a scalar function at a point.
///
/// - Precondition: `f` gives a single number.
public func gradient(at point: Tensor, _ f: (Tensor) throws -> Tensor) rethrows -> Tensor {
  try valueAndGradient(at: point, f).gradient
}

/// The gradient of a scalar function of parameters.
///
/// - Precondition: `f` gives a single number.
public func gradient(at point: Params, _ f: (Params) throws -> Tensor) rethrows -> Params {
  try valueAndGradient(at: point, f).gradient
}

/// How many operations a function of parameters records for its gradient: what the gradient's overhead follows.
public func recordedOperations(
  at point: Params, _ f: (Params) throws -> Tensor
) rethrows -> Int {
  let tape = Tape()
  let leaves = point.learnedLeaves.map(tape.leaf)
  _ = try Transformation.$isUnderWay.withValue(true) { try f(point.replacingLearned(with: leaves)) }
  return tape.count
}

/// The value of `f` and its pullback of the cotangent that `seed` gives for the value: one tensor a learned leaf.
func valueAndLeafGradients(
  at point: Params, seed: (Tensor) -> Tensor, _ f: (Params) throws -> Tensor
) rethrows -> (value: Tensor, gradients: [Tensor]) {
  let (value, gradients, _) = try valueAndLeafGradients(at: point, sharing: nil, seed: seed, f)
  return (value, point.filledUp(gradients))
}

/// The same of one of several shards: nil for leaves that nothing depends on, and what is still to be pulled back through
/// the values that the shards share.
func valueAndLeafGradients(
  at point: Params, sharing shared: SharedValues?, seed: (Tensor) -> Tensor, _ f: (Params) throws -> Tensor
) rethrows -> (value: Tensor, gradients: [Tensor?], shared: [SharedValues.Cotangent]) {
  let tape = Tape(sharing: shared)
  // Views of its own: threads that count references to the same objects would wait for each other.
  let leaves = point.learnedLeaves.map { tape.leaf($0.ownView) }
  let loss = try Transformation.$isUnderWay.withValue(true) { try f(point.replacingLearned(with: leaves)) }
  let found = tape.cotangents(of: leaves, seed: (loss, seed(loss.detached)))
  return (tape.primal(of: loss), found.leaves, found.shared)
}

extension Params {
  /// Gradients of the learned leaves, with zeros where there is none.
  func filledUp(_ gradients: [Tensor?]) -> [Tensor] {
    Swift.zip(gradients, learnedLeaves).map { $0 ?? .zeros($1.shape, dtype: $1.dtype) }
  }
}

/// What the current task is doing: a tape belongs to one thread, so no shards are made inside another transformation.
enum Transformation {
  @TaskLocal static var isUnderWay = false
}
