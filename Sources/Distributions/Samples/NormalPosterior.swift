import Randomness
import Tensors

/// A normal approximation of the posterior of a model's parameters.
///
/// θ = mean + deviation · z₁ + F z₂ with independent standard normal z₁ and z₂. ``MeanField`` and a diagonal
/// Laplace approximation have deviations alone, one with full covariance has a factor F, and `SWAG` has both.
public struct NormalPosterior: Sendable {
  /// The mean, a tree of the model's parameters.
  public let mean: Params
  /// The standard deviation of the independent part, for each learned number: a tree like `mean.learned`.
  public let deviation: Params
  /// The paths of the leaves that the factor moves, in the order of its rows.
  public let factorPaths: [String]
  /// F, `[numbers, columns]`, whose rows are the numbers of the leaves at `factorPaths`; nil for none.
  public let factor: Tensor?

  /// A posterior with deviations at some paths and a factor over the leaves at others.
  ///
  /// - Precondition: shapes agree with the leaves of the mean.
  package init(
    mean: Params, deviations: [String: Tensor], factor: Tensor? = nil, over factorPaths: [String] = []
  ) {
    self.mean = mean
    var paths = mean.learned.paths[...]
    deviation = mean.learned.map { leaf in
      let own = deviations[paths.removeFirst()]
      require(own.map { $0.shape == leaf.shape } ?? true, "a deviation has the shape of its leaf")
      return own ?? .zeros(leaf.shape, dtype: leaf.dtype)
    }
    let count = factorPaths.reduce(0) { $0 + (mean[path: $1]?.value?.count ?? 0) }
    require(factor.map { $0.rank == 2 && $0.rows == count } ?? true, "a factor has a row for each number")
    (self.factor, self.factorPaths) = (factor, factorPaths)
  }

  /// The variance of each learned number: deviation² and the sum of the squares in its row of F.
  public var variance: Params {
    let independent = deviation.map { square($0) }
    guard let factor else { return independent }
    let rows = square(factor).sum(axis: 1)
    return moved(independent, by: rows)
  }

  /// Draws parameter trees of equal weight. The first draws do not depend on `count`.
  ///
  /// - Throws: `FlowError.mismatch` for no draws; `.notFinite` for a posterior that is not finite.
  public func samples(_ count: Int, key: Key) throws(FlowError) -> ParameterSamples {
    try ParameterSamples((0..<max(count, 0)).map { draw(key.folded(in: $0)) })
  }

  private func draw(_ key: Key) -> Params {
    let (means, deviations, own) = (mean.learnedLeaves, deviation.learnedLeaves, key.folded(in: 0))
    let tree = mean.replacingLearned(
      with: means.indices.map { i in
        let leaf = means[i]
        return leaf + deviations[i] * own.folded(in: i).normal(leaf.shape, dtype: leaf.dtype)
      })
    guard let factor else { return tree }
    let z = key.folded(in: 1).normal([factor.shape[1], 1], dtype: factor.dtype)
    return moved(tree, by: matmul(factor, z).reshaped(to: [factor.rows]))
  }

  /// A tree with numbers added to the leaves that the factor moves.
  private func moved(_ tree: Params, by numbers: Tensor) -> Params {
    var start: [String: Int] = [:]
    var total = 0
    for path in factorPaths {
      start[path] = total
      total += mean[path: path]?.value?.count ?? 0
    }
    var paths: [String] = []
    tree.forEach { path, _, isFrozen in if !isFrozen { paths.append(path) } }
    let leaves = tree.learnedLeaves
    return tree.replacingLearned(
      with: leaves.indices.map { i in
        guard let first = start[paths[i]] else { return leaves[i] }
        let part = numbers[first..<first + leaves[i].count].reshaped(to: leaves[i].shape)
        return leaves[i] + part.cast(to: leaves[i].dtype)
      })
  }
}
