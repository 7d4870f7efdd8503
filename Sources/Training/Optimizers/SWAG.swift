import Distributions
import Tensors

/// Keeps the mean and the spread of the parameters along a run: stochastic weight averaging, Gaussian.
///
/// ```swift
/// let swag = SWAG(SGD(learningRate: 0.01), every: 20)
/// let tail = try fit(
///   flow, to: data, start: fitted.params, key: Key(1), epochs: 50, optimizer: swag, validationFraction: 0)
/// let samples = try swag.posterior(of: tail).samples(50, key: Key(2))
/// ```
///
/// The inner optimizer has a constant rate, so that it wanders about a minimum. Every so many steps the
/// parameters are a snapshot. With the snapshots' mean m, their variances V and the last K differences D from
/// the mean so far, θ = m + √(V / 2) z₁ + D z₂ / √(2 (K − 1)). The spread grows with the rate and with the
/// noise of small batches. So choose the rate, for instance by the held-out predictive density.
///
/// `fit` returns the mean. The outermost optimizer: it sees what `params + step` will be.
///
/// State: `count`, `mean`, `squares` (sums of squared differences from the mean), `differences`, and the
/// inner `optimizer`. Memory: K + 2 copies of the learned parameters.
///
/// Maddox, Garipov, Izmailov, Vetrov & Wilson 2019, *A simple baseline for Bayesian uncertainty in deep
/// learning*, arXiv 1902.02476.
public struct SWAG: Optimizer {
  private let optimizer: any Optimizer
  private let interval, rank: Int

  /// An optimizer whose parameters are taken every so many steps.
  ///
  /// - Parameters:
  ///   - optimizer: the inner optimizer, of a constant rate.
  ///   - interval: the steps from one snapshot to the next, such as those of an epoch.
  ///   - rank: K, the number of differences that are kept.
  /// - Precondition: a positive interval, and a rank of at least 2.
  public init(_ optimizer: any Optimizer, every interval: Int, rank: Int = 20) {
    require(
      interval > 0 && rank > 1,
      "SWAG needs a positive interval and a rank of 2 or more, got \(interval) and \(rank)")
    (self.optimizer, self.interval, self.rank) = (optimizer, interval, rank)
  }

  /// No snapshots.
  public func initialize(_ params: Params) -> Params {
    let zeros = params.learned.filled(with: 0)
    return [
      "count": .steps(0), "mean": zeros, "squares": zeros,
      "differences": Params([Params](repeating: zeros, count: rank)),
      "optimizer": optimizer.initialize(params),
    ]
  }

  /// The inner step, and a snapshot where one is due.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    let steps = try state.steps(who: "SWAG")
    let (step, next) = try optimizer.transform(gradient, state.moments("optimizer", who: "SWAG"), params)
    var (mean, squares) = (try state.moments("mean", who: "SWAG"), try state.moments("squares", who: "SWAG"))
    var differences = try differences(state)
    func takeSnapshot() throws {
      let moved = try params.learned.combined(with: step, who: "SWAG") { $0 + $1 }
      let before = try moved.combined(with: mean, who: "SWAG") { $0 - $1 }
      mean = try mean.combined(with: before, who: "SWAG") {
        $0 + $1 / (steps.plusOne(in: $0) / Double(interval))
      }
      let after = try moved.combined(with: mean, who: "SWAG") { $0 - $1 }
      // Welford's sum: without the cancellation of a mean of squares.
      let products = try before.combined(with: after, who: "SWAG") { $0 * $1 }
      squares = try squares.combined(with: products, who: "SWAG") { $0 + $1 }
      switch steps {
      case .known(let count): differences[((count + 1) / interval - 1) % rank] = after
      case .traced:
        for i in 0..<rank {
          // The step of snapshot i, i + rank, ...
          let isOwn = steps.isDue(every: interval * rank, rest: interval * (i + 1) % (interval * rank))
          differences[i] = isOwn.choose(after, differences[i])
        }
      }
    }
    switch steps {
    case .known(let count): if (count + 1) % interval == 0 { try takeSnapshot() }
    case .traced:
      let (oldMean, oldSquares) = (mean, squares)
      try takeSnapshot()
      let isDue = steps.isDue(every: interval)
      (mean, squares) = (isDue.choose(mean, oldMean), isDue.choose(squares, oldSquares))
    }
    return (
      step,
      [
        "count": steps.next, "mean": mean, "squares": squares, "differences": Params(differences),
        "optimizer": next,
      ]
    )
  }

  /// Tells the inner optimizer.
  public func observing(_ loss: Double, _ state: Params) throws -> Params {
    let inner = try state.moments("optimizer", who: "SWAG")
    return try state.replacing("optimizer", by: optimizer.observing(loss, inner))
  }

  /// The mean of the snapshots; before the first one, the parameters.
  public func evaluationParams(_ state: Params, _ params: Params) throws -> Params {
    if try state.stepCount(who: "SWAG") < interval { return params }
    return try params.combined(with: state.moments("mean", who: "SWAG"), who: "SWAG") { $1 }
  }

  /// The normal distribution of the snapshots of a fit with this optimizer.
  ///
  /// - Throws: `FlowError.mismatch` for less than two snapshots; `.structure` for a fit with another
  ///   optimizer.
  public func posterior(of fitted: Fitted) throws -> NormalPosterior {
    let (state, params) = (fitted.state.optimizer, fitted.state.params)
    let snapshots = try state.stepCount(who: "SWAG") / interval
    if snapshots < 2 {
      throw FlowError.mismatch(
        who: "SWAG", what: "a fit", expected: "with at least 2 snapshots", got: "\(snapshots)")
    }
    let mean = try params.combined(with: state.moments("mean", who: "SWAG"), who: "SWAG") { $1 }
    let squares = try state.moments("squares", who: "SWAG")
    try params.checkLearned(against: squares, who: "SWAG")
    let (paths, kept) = (params.learned.paths, min(snapshots, rank))
    let columns = try differences(state)[..<kept].map { difference in
      try params.checkLearned(against: difference, who: "SWAG")
      return difference.flattened() / (2 * Double(kept - 1)).squareRoot()
    }
    let deviations = squares.leaves.map { sqrt(maximum($0, 0) / (2 * Double(snapshots))) }
    return NormalPosterior(
      mean: try mean.withFrozenLeaves(of: fitted.params),
      deviations: Dictionary(uniqueKeysWithValues: zip(paths, deviations)),
      factor: stack(columns, axis: 1), over: paths)
  }

  private func differences(_ state: Params) throws -> [Params] {
    let trees = try state.moments("differences", who: "SWAG").children.map(\.tree)
    guard trees.count == rank else {
      throw FlowError.structure(who: "SWAG", expected: "  \(rank) differences", got: state.outline)
    }
    return trees
  }
}
