import Distributions
import Synchronization
import Tensors
import Training

/// The objective of `fineTune`: the losses of weighted histories, and the divergence from the start.
///
/// The loss L is a function of the log-weights ℓᵢ, and ℓᵢ is a sum over emissions. So its gradient is Σⱼ
/// (∂L/∂ℓ of emission j's history) ∇ log q(emission j): first all log-densities, then L and its slopes,
/// then one sharded pass over the emissions. One pass more than a mean over rows costs, with the memory of
/// one shard.
struct Reweighting: Objective {
  let histories: Histories
  /// The log-density of each emission when it was drawn.
  let start: [Double]
  let data: [(factor: Double, prepared: PreparedData)]
  let penalty: Penalty?
  let monitor = Monitor()

  /// λ KL(q₀ ‖ q) of whole histories, over those that the first parameters made.
  struct Penalty: Sendable {
    let strength: Double
    let histories: Histories
    let start: [Double]
    /// Whether the histories are those of the fit.
    let isCurrent: Bool
  }

  /// The error of a step whose weights have no sum.
  struct Collapse: Error {
    let params: Params
  }

  /// The effective sample size at the parameters of the latest step. It has no influence on results.
  final class Monitor: Sendable {
    private let value = Mutex(Double.nan)
    var effectiveSampleSize: Double {
      get { value.withLock { $0 } }
      set { value.withLock { $0 = newValue } }
    }
  }

  func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    let ratios = try histories.logRatios(step.logPDF, params, over: start)
    let logWeights = histories.weighted(ratios)
    let shares = Tensor(logWeights, dtype: .float64).softmax(axis: 0)
    monitor.effectiveSampleSize = 1 / square(shares).sum().item
    // All weights are 0, or one is too large to be a number.
    if monitor.effectiveSampleSize.isNaN { throw Collapse(params: params) }
    var (value, slopes) = Tensors.valueAndGradient(at: Tensor(logWeights, dtype: .float64)) { logWeights in
      let shares = logWeights.softmax(axis: 0)
      return data.reduce(Tensor(0, dtype: .float64)) { $0 + $1.factor * $1.prepared.loss(shares) }
    }
    if let penalty, penalty.isCurrent {
      let (divergence, own) = penalty.values(ratios)
      (value, slopes) = (value + divergence, slopes + own)
    }
    var gradient = try histories.gradient(of: slopes, at: params, step.logPDF)
    if let penalty, !penalty.isCurrent {
      let ratios = try penalty.histories.logRatios(step.logPDF, params, over: penalty.start)
      let (divergence, own) = penalty.values(ratios)
      value = value + divergence
      gradient = gradient + (try penalty.histories.gradient(of: own, at: params, step.logPDF))
    }
    return (value, gradient)
  }
}

extension Reweighting {
  /// The value alone.
  func value(at params: Params, _ logPDF: LogPDF) throws -> Double {
    let ratios = try histories.logRatios(logPDF, params, over: start)
    let shares = Tensor(histories.weighted(ratios), dtype: .float64).softmax(axis: 0)
    let loss = data.reduce(0) { $0 + $1.factor * $1.prepared.loss(shares).item }
    guard let penalty else { return loss }
    let own =
      penalty.isCurrent ? ratios : try penalty.histories.logRatios(logPDF, params, over: penalty.start)
    return loss + penalty.strength * penalty.histories.divergence(own).item
  }
}

extension Reweighting.Penalty {
  /// λ E₀ [w − 1 − log w], and its slopes by the log-weights.
  fileprivate func values(_ ratios: [Double]) -> (value: Tensor, slopes: Tensor) {
    let factors = expm1(minimum(Tensor(ratios, dtype: .float64), Histories.largestLogWeight))
    let slopes = strength * select(where: histories.ownShares .> 0, histories.ownShares * factors, 0)
    return (histories.divergence(ratios) * strength, slopes)
  }
}

extension Histories {
  /// Above this log-weight, the estimate of KL goes on as a straight line, so that no weight overflows.
  fileprivate static let largestLogWeight = 30.0

  /// An estimate of KL(q₀ ‖ q) of whole histories: the mean of w − 1 − log w, since E₀ w = 1.
  ///
  /// No term is negative, and each has slope 0 at w = 1. Minus the mean of log w has the same expectation,
  /// but a slope at q₀: it falls towards the parameters that fit the sample of histories best.
  func divergence(_ ratios: [Double]) -> Tensor {
    let shares = ownShares
    // A weight of 0 counts for nothing, and its ratio may be −∞.
    let ratios = Tensor(ratios, dtype: .float64)
    let (near, limit) = (minimum(ratios, Histories.largestLogWeight), Histories.largestLogWeight)
    let far = select(
      where: ratios .> limit, expm1(Tensor(limit, dtype: .float64)) * (ratios - limit), 0)
    return select(where: shares .> 0, shares * (expm1(near) - near + far), 0).sum()
  }

  /// Σ slope of the emission's history · ∇ log q(emission).
  fileprivate func gradient(of slopes: Tensor, at params: Params, _ logPDF: LogPDF) throws -> Params {
    let slopes = slopes.doubles
    // The function that is differentiated is a mean over emissions.
    let factors = Tensor(segments.map { slopes[$0] * Double(segments.count) }, dtype: rows.dtype)
    return try Tensors.valueAndGradient(
      at: params, rows: rows.rows,
      shardRows: Parallelism.shardRows(of: rows.shape.sample, parameters: params.learnedCount)
    ) { params, range in
      let densities = try logPDF.body(params, rows[range], context?[range])
      // A weight of 0 has no slope, and its log-density may be −∞.
      return select(where: factors[range] .!= 0, factors[range] * densities, 0)
    }.gradient
  }
}
