import Distributions
import Randomness
import Tensors
import Training

extension InferredPosterior {
  /// Draws from the posteriors of several observations, one posterior for each row of data:
  /// `[rows, count] + parameters`.
  ///
  /// ```swift
  /// let draws = try posterior.sample(Key(1), count: 100, givenEach: data)
  /// ```
  ///
  /// Row i has the bits of `sample(key.folded(in: i), count: count, given: data[i..<i + 1])`. A learned
  /// posterior takes them in passes of up to 65,536 draws. A likelihood or a ratio runs chains for each row.
  /// After several rounds the posterior is one for the observed data, and others are less exact.
  ///
  /// - Parameters:
  ///   - key: the key of the draws.
  ///   - count: the number of draws per row.
  ///   - data: the observations, `[rows] + data`.
  ///   - chains: the settings of the chains.
  /// - Throws: as `sample`.
  /// - Precondition: a positive count.
  public func sample(
    _ key: Key, count: Int, givenEach data: Tensor, chains: EnsembleSlice = EnsembleSlice()
  ) throws -> Tensor {
    require(count > 0, "draws of a posterior need a positive count, got \(count)")
    let data = try checked(data)
    guard isDirect else {
      return stack(
        try (0..<data.rows).map { row in
          try sampleByChains(key.folded(in: row), count: count, of: data[row..<row + 1], chains).parameters
        })
    }
    let size = max(1, 65_536 / count)
    let passes = try stride(from: 0, to: data.rows, by: size).map { start in
      let rows = start..<min(start + size, data.rows)
      return try fitted.sample(
        keys: rows.map { key.folded(in: $0) }, fitted.params, countEach: count, given: data[rows])
    }
    return concatenate(passes, axis: 0)
  }
}
