import Tensors

// An optimizer's state and the trees beside it may come from a file: they are read as something that can be
// wrong.
extension Params {
  /// The steps done: the frozen leaf `count`, or another label's.
  func stepCount(_ label: String = "count", who: String) throws(FlowError) -> Int {
    guard case .frozen(let count)? = self[path: label], count.dtype == .int32, count.shape == [1],
      (0..<Int(Int32.max)).contains(count.ints[0])
    else { throw .structure(who: who, expected: "  \(label): [1] int32 frozen, not negative", got: outline) }
    return count.ints[0]
  }

  /// The frozen real number under a label, not NaN.
  func number(_ label: String, who: String) throws(FlowError) -> Tensor {
    guard case .frozen(let number)? = self[path: label], number.dtype.isFloatingPoint, number.shape == [1],
      !number.item.isNaN
    else { throw .structure(who: who, expected: "  \(label): [1] real frozen", got: outline) }
    return number
  }

  /// The subtree of running values under a label.
  func moments(_ label: String, who: String) throws(FlowError) -> Params {
    guard let tree = self[path: label] else {
      throw .structure(who: who, expected: "  a state with \(label)", got: outline)
    }
    return tree
  }

  /// Combines two trees of learned leaves, leaf by leaf.
  ///
  /// Throws `FlowError.structure` with both trees when structures, shapes or dtypes differ: nothing is
  /// broadcast.
  func combined(with other: Params, who: String, _ combine: (Tensor, Tensor) -> Tensor) throws(FlowError)
    -> Params
  {
    try checkLearned(against: other, who: who)
    return replacingLearned(with: Swift.zip(learnedLeaves, other.learnedLeaves).map(combine))
  }

  /// The state of an optimizer after `count` steps.
  static func steps(_ count: Int) -> Params { .frozen(Tensor(ints: [count])) }
}
