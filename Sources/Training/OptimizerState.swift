// An optimizer's state and the trees beside it may come from a file: they are read as something that can be wrong.
extension Params {
  /// The steps done: the frozen leaf `count`.
  func stepCount(who: String) throws(FlowError) -> Int {
    guard case .frozen(let count)? = self[path: "count"], count.dtype == .int32, count.shape == [1],
      (0..<Int(Int32.max)).contains(count.ints[0])
    else { throw .structure(who: who, expected: "  count: [1] int32 frozen, not negative", got: outline) }
    return count.ints[0]
  }

  /// The subtree of running values under a label.
  func moments(_ label: String, who: String) throws(FlowError) -> Params {
    guard let tree = self[path: label] else {
      throw .structure(who: who, expected: "  a state with \(label)", got: outline)
    }
    return tree
  }

  /// Combines two trees leaf by leaf.
  ///
  /// Throws `FlowError.structure` with both trees when structures, shapes or dtypes differ: nothing is broadcast.
  func combined(with other: Params, who: String, _ combine: (Tensor, Tensor) -> Tensor) throws -> Params {
    try zip(with: other, who: who) { a, b in
      guard a.shape == b.shape, a.dtype == b.dtype else {
        throw FlowError.structure(who: who, expected: outline, got: other.outline)
      }
      return combine(a, b)
    }
  }

  /// The parameters with a step of the structure of `learned` added; frozen leaves are kept.
  func stepped(by step: Params, who: String) throws -> Params {
    try zipLearned(with: step, who: who) { value, change in
      guard value.shape == change.shape, value.dtype == change.dtype else {
        throw FlowError.structure(who: who, expected: learned.outline, got: step.outline)
      }
      return value + change
    }
  }

  /// The state of an optimizer after `count` steps.
  static func steps(_ count: Int) -> Params { .frozen(Tensor(ints: [count])) }
}
