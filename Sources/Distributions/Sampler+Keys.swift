import Bijections
import Randomness
import Tensors

extension Sampler {
  /// Draws for several rows of context in one pass, `[keys, count] + inputDim`, each row from its own key.
  ///
  /// The draws of row i have the bits of a call with key i and row i of the context. Only those of continuous
  /// flows with a tolerance differ within it.
  ///
  /// - Parameters:
  ///   - keys: a key per row.
  ///   - count: the number of draws per row.
  ///   - context: one row per key.
  /// - Precondition: there is a key, and `count` is positive.
  package func callAsFunction(
    keys: [Key], _ params: Params, countEach count: Int, given context: Tensor
  ) throws(FlowError) -> Tensor {
    require(
      !keys.isEmpty && count > 0, "draws by keys need a key and a count, got \(keys.count) and \(count)")
    try boundary.check(params)
    try boundary.check(context, rows: keys.count)
    let shape = Shape([keys.count, count] + boundary.domain.shape.sizes)
    if let byKeys { return try byKeys(keys, params, count, context).reshaped(to: shape) }
    var draws: [Tensor] = []
    for (row, key) in keys.enumerated() {
      draws.append(try self(key, params, count: count, given: context[row..<row + 1]))
    }
    return concatenate(draws, axis: 0).reshaped(to: shape)
  }
}

extension Tensor {
  /// Each row `count` times in a row.
  package func eachRow(_ count: Int) -> Tensor {
    let wide = Shape([rows, count] + shape.sample.sizes)
    return expanded(axis: 1).broadcast(to: wide).reshaped(to: shape.replacing(0, by: rows * count))
  }
}
