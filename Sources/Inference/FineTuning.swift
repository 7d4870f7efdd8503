import Bijections
import Distributions
import Randomness
import Tensors
import Training

/// The settings of a fine-tuning, and one round under them.
struct FineTuning {
  let logPDF: LogPDF
  let sample: Sampler
  let data: [ObservedData]
  let strength: Double
  let freezing: Freezing
  let steps: Int
  let optimizer: any Optimizer
  let effectiveShare: Double
  let progress: ProgressOutput
  /// The histories of the first round, and the log-densities that they were drawn with.
  let first: Histories
  let firstDensities: [Double]

  /// Fits the weights of histories that `start` made.
  func round(
    _ index: Int, _ histories: Histories, from start: Params
  ) throws -> (FineTuned.Round, Params) {
    try logPDF.boundary.checkShapes(start, histories.rows, given: histories.context)
    let densities = index == 0 ? firstDensities : try histories.logDensities(logPDF, start)
    let prepared = try prepared(for: histories)
    let penalty = Reweighting.Penalty(
      strength: strength, histories: first, start: firstDensities, isCurrent: index == 0)
    let objective = Reweighting(
      histories: histories, start: densities, data: prepared, penalty: strength > 0 ? penalty : nil)
    let before = try comparisons(prepared, histories.ownShares)
    let whole = 1 / square(histories.ownShares).sum().item
    let least = effectiveShare * whole

    var (good, limit, steps) = (start, Params?.none, 0)
    var params = start
    do {
      params = try fit(
        (logPDF, sample), for: "fineTune, round \(index + 1)", by: objective, start: start,
        freezing: freezing, key: Key(0), steps: self.steps, optimizer: optimizer, progress: progress,
        text: { _ in
          let share = objective.monitor.effectiveSampleSize / whole
          return "round \(index + 1), effective sample \(Int((100 * share).rounded())) %"
        }
      ) { state in
        steps = state.step
        guard objective.monitor.effectiveSampleSize < least else {
          good = state.lastGood
          return .proceed
        }
        limit = state.lastGood
        return .stop
      }.params
    } catch let collapse as Reweighting.Collapse { limit = collapse.params }
    // The last step leads to parameters that no step has judged.
    var logWeights = try weights(params, histories, densities)
    if limit == nil, !(size(logWeights) >= least) { limit = params }
    if let limit {
      (params, logWeights) = try shortened(good, limit, least, histories, densities, step: steps)
    }
    params = try params.withFrozenLeaves(of: start)
    let weights = ImportanceWeights(logWeights: logWeights)
    let ratios = try first.logRatios(logPDF, params, over: firstDensities)
    let after = try comparisons(prepared, weights.normalized)
    let isSettled = try limit == nil && (isAtFloor(after) || hasSettled(objective, from: start, to: params))
    let round = FineTuned.Round(
      index: index, steps: steps, histories: histories.count,
      effectiveSampleSize: weights.effectiveSampleSize, paretoK: weights.paretoK,
      isLimited: limit != nil, isSettled: isSettled,
      before: before, after: after, klFromStart: first.divergence(ratios).item)
    return (round, params)
  }

  /// Whether every χ² is within three standard deviations of its mean.
  private func isAtFloor(_ comparisons: [DataComparison]) -> Bool {
    comparisons.allSatisfy { comparison in
      guard let degrees = comparison.degrees, let value = comparison.reducedChiSquared else { return false }
      return value <= 1 + 3 * (2 / Double(degrees)).squareRoot()
    }
  }

  /// Whether going on in the direction of the round lowers the loss no more.
  ///
  /// The test does not depend on the length of the steps. If a parabola's minimum lies T times as far from
  /// the start as the end does, then a quarter more gains
  /// (T/2 − 9/16) / (2T − 1) of the round's gain. That is above a twentieth from T = 1.28 on, and tends to a
  /// quarter for short steps.
  private func hasSettled(_ objective: Reweighting, from start: Params, to end: Params) throws -> Bool {
    let beyond = try end.zip(with: start) { $0.dtype.isFloatingPoint ? $0 + 0.25 * ($0 - $1) : $0 }
    let (first, last) = (try objective.value(at: start, logPDF), try objective.value(at: end, logPDF))
    // A loss that rose, or a gain that rounding hides, tells nothing about the steps to come.
    guard first - last > 1e-6 * abs(first) else { return false }
    return try !(last - objective.value(at: beyond, logPDF) > 0.05 * (first - last))
  }

  /// Comparisons of the data with histories whose weights have given shares.
  func comparisons(_ histories: Histories, _ shares: Tensor) throws -> [DataComparison] {
    try comparisons(prepared(for: histories), shares)
  }

  private func prepared(for histories: Histories) throws -> [(factor: Double, prepared: PreparedData)] {
    try data.map { own in
      let prepared = try own.prepared(for: histories.observables, weights: histories.weights)
      if prepared.loss(histories.ownShares).item == .infinity {
        throw FlowError.mismatch(
          who: own.name, what: "histories",
          expected: "of a finite loss; take wider bins, the loss chiSquared "
            + "or .samples, or larger weights for the histories in thin bins", got: "an infinite one")
      }
      return (own.factor, prepared)
    }
  }

  private func comparisons(
    _ prepared: [(factor: Double, prepared: PreparedData)], _ shares: Tensor
  ) throws -> [DataComparison] {
    zip(data, prepared).map { DataComparison($0.name, $1.prepared, shares) }
  }

  private func weights(
    _ params: Params, _ histories: Histories, _ densities: [Double]
  ) throws -> [Double] {
    histories.weighted(try histories.logRatios(logPDF, params, over: densities))
  }

  /// The effective sample size; NaN for weights without a sum.
  private func size(_ logWeights: [Double]) -> Double {
    1 / square(Tensor(logWeights, dtype: .float64).softmax(axis: 0)).sum().item
  }

  /// Parameters between good ones and ones whose effective sample is too small.
  ///
  /// The bad ones are taken if they are not far below the least size. Otherwise halving the way finds a point
  /// next to it. So a round goes on whatever the learning rate, and no weight comes to outweigh all others.
  private func shortened(
    _ good: Params, _ bad: Params, _ least: Double, _ histories: Histories, _ densities: [Double], step: Int
  ) throws -> (Params, [Double]) {
    let all = try weights(bad, histories, densities)
    if size(all) >= 0.8 * least { return (bad, all) }
    var (low, high) = (0.0, 1.0)
    var found: (Params, [Double])?
    for _ in 0..<50 {
      let middle = (low + high) / 2
      let mixed = try good.zip(with: bad) { $0.dtype.isFloatingPoint ? (1 - middle) * $0 + middle * $1 : $0 }
      let trial = try weights(mixed, histories, densities)
      if size(trial) >= least {
        (low, found) = (middle, (mixed, trial))
        if size(trial) < 1.1 * least { break }
      } else {
        high = middle
      }
    }
    guard let found else {
      throw FlowError.diverged(who: "fineTune", step: step, what: "a sum of weights", lastGood: good)
    }
    return found
  }
}
