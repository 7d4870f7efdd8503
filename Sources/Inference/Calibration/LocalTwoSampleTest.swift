import Networks
import Plots
import Randomness
import Tensors
import Training

/// A local classifier two-sample test (L-C2ST): whether a posterior is right at one row of data, without
/// draws of the true one.
///
/// ```swift
/// let test = try LocalTwoSampleTest(of: posterior, simulator: simulate, key: Key(4))
/// print(test.pValue)          // small: the posterior at the observed data is wrong
/// try test.picture.write(to: "local.svg")
/// ```
///
/// A network learns to tell (θ, x) of the joint model from (θ′, x) with θ′ drawn from the posterior given x.
/// At the row of data its probabilities for draws of the posterior should be ½. The statistic is the mean of
/// (d − ½)². Networks that are trained on the same pairs with shuffled labels give its values under a right
/// posterior.
///
/// Linhart, Gramfort & Rodrigues 2023, *L-C2ST*, arXiv 2306.03580.
public struct LocalTwoSampleTest: Sendable {
  /// The statistic.
  public let statistic: Double
  /// The statistics of networks with shuffled labels.
  public let null: [Double]
  /// The probabilities of the true class for draws of the posterior, in rising order.
  private let probabilities: [Double]
  private let nullProbabilities: [[Double]]

  /// Simulates pairs, draws from the posterior of each, and trains the networks.
  ///
  /// - Parameters:
  ///   - posterior: the posterior.
  ///   - simulator: the simulator. Invalid simulations are left out.
  ///   - data: the row of data to test at; nil for the observed one.
  ///   - pairs: the number of pairs.
  ///   - draws: the number of draws at the row of data.
  ///   - trials: the number of networks with shuffled labels.
  ///   - steps: the steps of one training, with 256 rows each.
  ///   - key: the key of pairs, draws and training.
  /// - Throws: the errors of the simulator and of draws; `CancellationError` if the task is cancelled.
  /// - Precondition: positive counts.
  public init(
    of posterior: InferredPosterior, simulator: Simulator, at data: Tensor? = nil, pairs: Int = 1_000,
    draws: Int = 1_000, trials: Int = 40, steps: Int = 300, key: Key
  ) throws {
    require(
      pairs > 0 && draws > 0 && trials > 0 && steps > 0,
      "an L-C2ST needs positive counts, got \(pairs), \(draws), \(trials) and \(steps)")
    let set = try SimulationSet(
      simulator, at: posterior.prior.sample(key.folded(in: 0), count: pairs), key: key.folded(in: 1))
    let estimated = try posterior.sample(key.folded(in: 2), count: 1, givenEach: set.data)
    let own = try posterior.sample(key.folded(in: 3), count: draws, given: data)
    try self.init(
      truths: set.parameters, estimated: estimated.reshaped(to: set.parameters.shape), data: set.data,
      draws: own,
      at: (data ?? posterior.observed).cast(to: .float32), trials: trials, steps: steps,
      key: key.folded(in: 4))
  }

  /// A test from pairs and draws that are given.
  ///
  /// - Parameters:
  ///   - truths: the parameters of the pairs, `[pairs] + parameters`.
  ///   - estimated: one draw of the posterior given each pair's data.
  ///   - data: the data of the pairs, `[pairs] + data`.
  ///   - draws: draws of the posterior given `row`.
  ///   - row: the row of data to test at, `[1] + data`.
  ///   - trials: the number of networks with shuffled labels.
  ///   - steps: the steps of one training.
  ///   - key: the key of training and labels.
  /// - Throws: `mismatch` for shapes that do not fit and for no rows; `notFinite` for NaN or infinity;
  ///   `CancellationError` if the task is cancelled.
  /// - Precondition: positive trials and steps.
  public init(
    truths: Tensor, estimated: Tensor, data: Tensor, draws: Tensor, at row: Tensor, trials: Int = 40,
    steps: Int = 300, key: Key
  ) throws {
    guard truths.rank > 1, truths.shape == estimated.shape, data.rank > 1, data.rows == truths.rows,
      draws.rank > 1, draws.shape.sample == truths.shape.sample, row.shape == data.shape.replacing(0, by: 1)
    else {
      throw FlowError.mismatch(
        who: "LocalTwoSampleTest", what: "pairs, draws and a row of data", expected: "of shapes that fit",
        got: "\(truths.shape), \(estimated.shape), \(data.shape), \(draws.shape) and \(row.shape)")
    }
    require(trials > 0 && steps > 0, "an L-C2ST needs positive counts, got \(trials) and \(steps)")
    if draws.rows == 0 || truths.rows == 0 {
      throw FlowError.mismatch(
        who: "LocalTwoSampleTest", what: "pairs and draws", expected: "at least one of each",
        got: "\(truths.rows) and \(draws.rows)")
    }
    for (name, x) in [
      ("truths", truths), ("estimated draws", estimated), ("data", data), ("draws", draws), ("a row", row),
    ] where !x.isFinite {
      throw FlowError.notFinite(who: "LocalTwoSampleTest", what: name, row: nil)
    }
    func flat(_ x: Tensor) -> Tensor { x.reshaped(to: [x.rows, x.shape.sample.count]).cast(to: .float64) }
    let joint = concatenate(flat(truths), flat(data), axis: 1)
    let both = concatenate(joint, concatenate(flat(estimated), flat(data), axis: 1), axis: 0)
    let mean = both.mean(axis: 0)
    let deviation = sqrt(square(both - mean).mean(axis: 0))
    let scale = select(where: deviation .> 0, deviation, 1)
    let contexts = flat(row).broadcast(to: [draws.rows, data.shape.sample.count])
    let judged = ((concatenate(flat(draws), contexts, axis: 1) - mean) / scale).cast(to: .float32)
    let x = ((both - mean) / scale).cast(to: .float32)
    let labels = (0..<x.rows).map { $0 < joint.rows ? 1.0 : 0.0 }
    let width = min(10 * x.shape[1], 64)

    func probabilities(_ labels: [Double], _ key: Key) throws -> [Double] {
      let y = Tensor(labels, shape: [x.rows, 1])
      let logits = try trained(
        MLP(hidden: [width, width]), x, y, steps: steps, key: key, loss: labelLoss)
      return sigmoid(logits(judged)).doubles.sorted()
    }
    func statistic(_ probabilities: [Double]) -> Double {
      probabilities.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / Double(probabilities.count)
    }
    let own = try probabilities(labels, key.folded(in: 0))
    let shuffled = try (1...trials).map { trial in
      let order = key.folded(in: trial).folded(in: 0).permutation(labels.count)
      return try probabilities(order.map { labels[$0] }, key.folded(in: trial).folded(in: 1))
    }
    (self.probabilities, nullProbabilities) = (own, shuffled)
    (self.statistic, null) = (statistic(own), shuffled.map(statistic))
  }

  /// The p-value: (1 + the number of trials with a statistic as large) / (1 + trials).
  public var pValue: Double {
    Double(1 + null.count { $0 >= statistic }) / Double(1 + null.count)
  }

  /// The distribution function of the network's probabilities, within those of shuffled labels.
  ///
  /// The band holds the middle 90 % of the shuffled ones at each probability.
  public var picture: LineChart {
    let grid = (0...100).map { Double($0) / 100 }
    func shares(_ sorted: [Double]) -> [Double] {
      var below = 0
      return grid.map { level in
        while below < sorted.count, sorted[below] <= level { below += 1 }
        return Double(below) / Double(max(sorted.count, 1))
      }
    }
    let all = nullProbabilities.map(shares)
    func quantile(_ share: Double) -> [Double] {
      grid.indices.map { i in
        all.map { $0[i] }.sorted()[Int((share * Double(all.count - 1)).rounded())]
      }
    }
    return LineChart(
      "L-C2ST, p = \(Double(Int(1_000 * pValue)) / 1_000)",
      series: [
        .init("posterior", shares(probabilities), x: grid),
        .init("shuffled labels, 5 %", quantile(0.05), x: grid),
        .init("shuffled labels, 95 %", quantile(0.95), x: grid),
      ], xLabel: "probability of the true class", yLabel: "share of draws below it")
  }
}
