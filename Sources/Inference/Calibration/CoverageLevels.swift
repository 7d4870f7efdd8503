import Randomness
import Tensors

/// The credibility levels at which regions of highest density just contain the true parameters.
///
/// For each pair the level is the share of draws whose posterior density is above that of the truth. Under
/// the true posterior levels are uniform. Their distribution function is the expected coverage: the share of
/// truths within the regions of each level. A curve below the diagonal tells of posteriors that are too
/// narrow.
///
/// Draw k of L that are above gives the level (k + ½) / (L + 1), so that the levels are unbiased.
///
/// Hermans et al. 2022, *A crisis in simulation-based inference?*, arXiv 2110.06581; Deistler et al. 2022,
/// arXiv 2210.04815.
///
/// - Parameters:
///   - truths: the log-density of each true sample, `[pairs]`.
///   - draws: the log-densities of draws given the same data, `[pairs, draws]`. Constants per pair cancel.
/// - Precondition: shapes that fit.
public func coverageLevels(truths: Tensor, draws: Tensor) -> Tensor {
  require(
    draws.rank == 2 && truths.shape == [draws.rows],
    "coverage needs one density per truth and a row of draws each, got \(truths.shape) and \(draws.shape)")
  let above = (draws .> truths.expanded(axis: 1)).cast(to: .float64).sum(axis: 1)
  return (above + 0.5) / Double(draws.shape[1] + 1)
}

/// The levels of tests of accuracy with random points (TARP): the share of draws that are closer to a random
/// point than the truth is.
///
/// Under the true posterior the levels are uniform, whatever the points depend on. Points that depend on the
/// data make the test complete: only the true posterior passes for all of them. The points here are uniform
/// in the box of all truths. Parameters are divided by the truths' standard deviations.
///
/// Lemos, Coogan, Hezaveh & Perreault-Levasseur 2023, *Sampling-based accuracy testing of posterior
/// estimators*, arXiv 2302.03026.
///
/// - Parameters:
///   - truths: the true parameters, `[pairs, numbers]`.
///   - draws: draws given the data of each pair, `[pairs, draws, numbers]`.
///   - points: the points, `[pairs, numbers]`; nil for random ones.
///   - key: the key of random points.
/// - Returns: (k + ½) / (L + 1) for k of L draws that are closer, `[pairs]`.
/// - Precondition: shapes that fit.
public func tarpLevels(truths: Tensor, draws: Tensor, points: Tensor? = nil, key: Key) -> Tensor {
  require(
    truths.rank == 2 && draws.rank == 3 && draws.rows == truths.rows && draws.shape[2] == truths.shape[1]
      && (points?.shape ?? truths.shape) == truths.shape,
    "TARP needs truths [pairs, numbers] and draws [pairs, draws, numbers], got \(truths.shape) and "
      + "\(draws.shape)")
  let (truths, draws) = (truths.cast(to: .float64), draws.cast(to: .float64))
  let (low, high) = (truths.min(axis: 0), truths.max(axis: 0))
  let points =
    points?.cast(to: .float64)
    ?? low + (high - low) * key.uniform(truths.shape, dtype: .float64)
  let deviation = sqrt(square(truths - truths.mean(axis: 0)).mean(axis: 0))
  let scale = select(where: deviation .> 0, deviation, 1)
  let ofTruths = square((truths - points) / scale).sum(axis: 1, keepDims: true)
  let ofDraws = square((draws - points.expanded(axis: 1)) / scale).sum(axis: 2)
  return ((ofDraws .< ofTruths).cast(to: .float64).sum(axis: 1) + 0.5) / Double(draws.shape[1] + 1)
}
