import Randomness
import Tensors

extension MADE {
  /// Parameters, and the network that they make of numbers sorted by degree.
  package func initialize(
    _ key: Key, numbers: Int, contexts: Int, count: Int, dtype: DType
  ) throws(FlowError) -> (params: Params, network: SortedMADE) {
    if let width = ([numbers, count] + hidden).first(where: { $0 < 1 }) {
      throw .mismatch(
        who: "MADE", what: "numbers, outputs and hidden units", expected: "at least 1", got: "\(width)")
    }
    let inputs = [Int](repeating: 0, count: contexts) + Array(1..<numbers)
    let outputs = (0..<numbers).flatMap { [Int](repeating: $0, count: count) }
    let range = (contexts > 0 || numbers == 1 ? 0 : 1)...max(numbers - 1, 0)
    let layerKey = key.folded(in: 0)
    var drawn: [[Int]] = []
    for (i, width) in hidden.enumerated() {
      let lowest = drawn.last?.first ?? range.lowerBound
      drawn.append(
        isResidual && i > 0
          ? drawn[0]
          : degrees(layerKey.folded(in: i).folded(in: 2), width, in: lowest...range.upperBound, of: range))
    }
    let all = ([inputs] + drawn + [outputs]).map { $0.map(Double.init) }

    var layers: [Params.Child] = []
    for i in 0...hidden.count {
      let (key, isLast) = (layerKey.folded(in: i), i == hidden.count)
      let weight = (isLast ? lastWeight : weight)(
        key.folded(in: 0), [all[i].count, all[i + 1].count], dtype: dtype)
      var children: [Params.Child] = [
        .init("weight", .leaf(weight)), .init("bias", .leaf(.zeros([all[i + 1].count], dtype: dtype))),
      ]
      if isDrawn(i) { children.append(.init("degrees", .frozen(Tensor(all[i + 1], dtype: dtype)))) }
      layers.append(.init("dense_\(i)", .branch(children)))
    }
    if order == .random {
      layers.append(.init("order", .frozen(key.folded(in: 1).permutationTensor(numbers))))
    }
    return (.branch(layers), SortedMADE(self, degrees: all))
  }

  /// Whether the tree holds the degrees of the units behind layer i. Those of residual blocks are held once.
  func isDrawn(_ i: Int) -> Bool {
    hiddenDegrees == .random && i < (isResidual ? min(1, hidden.count) : hidden.count)
  }

  /// Rising degrees of the units of a layer.
  private func degrees(_ key: Key, _ width: Int, in drawn: ClosedRange<Int>, of range: ClosedRange<Int>)
    -> [Int]
  {
    if hiddenDegrees == .random {
      return key.integers([width], in: drawn.lowerBound..<drawn.upperBound + 1).ints.sorted()
    }
    // With units enough each degree has its share, the lowest ones the remainder; with fewer they lie evenly.
    let n = range.count
    if width < n { return (0..<width).map { range.lowerBound + (2 * $0 + 1) * n / (2 * width) } }
    return (0..<width).map { $0 % n }.sorted().map { range.lowerBound + $0 }
  }
}
