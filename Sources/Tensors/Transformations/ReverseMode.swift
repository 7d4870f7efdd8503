/// The value of a function at a point, and its pullback from cotangents of the value to those of the point.
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

/// The value of a scalar function of parameters and its gradient, which has the structure of `learned`.
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

/// The value and the gradient of a scalar function at a point.
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

/// The number of operations that a function records for its gradient. The overhead is proportional to it.
public func recordedOperations(at point: Params, _ f: (Params) throws -> Tensor) rethrows -> Int {
  let tape = Tape()
  let leaves = point.learnedLeaves.map(tape.leaf)
  _ = try Transformation.$isUnderWay.withValue(true) { try f(point.replacingLearned(with: leaves)) }
  return tape.count
}

/// The value of `f`, and the cotangents of the learned leaves for the cotangent `seed(value)` of the value.
func valueAndLeafGradients(
  at point: Params, seed: (Tensor) -> Tensor, _ f: (Params) throws -> Tensor
) rethrows -> (value: Tensor, gradients: [Tensor]) {
  let (value, gradients, _) = try valueAndLeafGradients(at: point, sharing: nil, seed: seed, f)
  return (value, point.filledUp(gradients))
}

/// The same for one of several shards.
///
/// It also returns the cotangents of the shared values, which are pulled back later. A gradient is nil where
/// nothing depends on a leaf.
func valueAndLeafGradients(
  at point: Params, sharing shared: SharedValues?, seed: (Tensor) -> Tensor, _ f: (Params) throws -> Tensor
) rethrows -> (value: Tensor, gradients: [Tensor?], shared: [SharedValues.Cotangent]) {
  let tape = Tape(sharing: shared)
  // Each shard has views of its own: threads that count references to one object wait for each other.
  let leaves = point.learnedLeaves.map { tape.leaf($0.ownView) }
  let loss = try Transformation.$isUnderWay.withValue(true) { try f(point.replacingLearned(with: leaves)) }
  let found = tape.cotangents(of: leaves, seed: (loss, seed(loss.detached)))
  return (tape.primal(of: loss), found.leaves, found.shared)
}

extension Params {
  /// The gradients of the learned leaves, with zeros for missing ones.
  func filledUp(_ gradients: [Tensor?]) -> [Tensor] {
    Swift.zip(gradients, learnedLeaves).map { $0 ?? .zeros($1.shape, dtype: $1.dtype) }
  }
}

/// Knows whether the current task is inside a transformation. A tape belongs to one thread, so there are no
/// shards inside.
enum Transformation {
  @TaskLocal static var isUnderWay = false
}
