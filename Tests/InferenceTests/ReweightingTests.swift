import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import Testing
import Training

@testable import Inference

/// The losses' gradients by the parameters of the density.
@Suite struct ReweightingTests {
  private static let data = Key(9).uniform([60, 2], in: 0.2..<4, dtype: .float64)
  private static let first = data.sliced(axis: 1, 0..<1)
  private static let bins = Bins(5, over: 0...4)

  static let losses: [(String, ObservedData)] = [
    ("cross-entropy", .histogram(first, bins: bins, by: .crossEntropy, minimumEntries: 1)),
    ("wasserstein", .samples(first)),
    ("energy", .samples(first, distance: .energy)),
    ("sliced wasserstein", .samples(data, observables: [0, 1], directions: 7)),
    ("energy in two dimensions", .samples(data, distance: .energy, observables: [1, 0], directions: 7)),
    ("chi-squared", .histogram(first, bins: bins, minimumEntries: 1)),
    (
      "own",
      ObservedData("mean") { observables in
        let first = observables.sliced(axis: 1, 0..<1).reshaped(to: [observables.rows])
        return { square(($0 * first).sum() - 2) }
      }
    ),
  ]

  /// Unequal weights, a flow of several parameters with a context, emissions in any order.
  private static func histories(_ flow: Flow, _ params: Params, _ sample: Sampler) throws -> Histories {
    let context = Key(3).uniform([90, 1], dtype: .float64)
    let x = try sample(Key(4), params, count: 90, given: context)
    var sums = [[Double]](repeating: [0, 0], count: 30)
    for (row, value) in x.doubles.enumerated() {
      sums[row % 30][0] += exp(Tensor(value, dtype: .float64)).item / 3
      sums[row % 30][1] = max(sums[row % 30][1], value)
    }
    return try Histories(
      x, context: context, segments: (0..<90).map { $0 % 30 }, observables: Tensor(sums, dtype: .float64),
      weights: (0..<30).map { 1 + Double($0 % 4) })
  }

  private static func step(
    _ loss: ObservedData, penalty: Double
  ) throws -> (objective: Reweighting, params: Params, step: TrainingStep) {
    let flow = Flow(Serial(AffineCoupling(MLP(hidden: [3])), ElementwiseAffine()))
    let (start, logPDF, sample) = try flow(Key(1), inputDim: 1, contextDim: 1, dtype: .float64)
    let histories = try histories(flow, start, sample)
    let densities = try histories.logDensities(logPDF, start)
    let other = Reweighting.Penalty(
      strength: penalty, histories: histories, start: densities, isCurrent: penalty < 0.2)
    let objective = Reweighting(
      histories: histories, start: densities,
      data: [(factor: 0.7, prepared: try loss.prepared(for: histories.observables))],
      penalty: penalty > 0 ? other : nil)
    // Away from the start, where all weights are alike.
    let params = start.map { $0 + 0.1 * Key(8).normal($0.shape, dtype: .float64) }
    return (objective, params, TrainingStep(logPDF: logPDF, sample: sample, key: Key(0)))
  }

  /// χ² holds its variances constant, so its difference quotients would not.
  @Test(arguments: losses.filter { $0.0 != "chi-squared" }.map(\.0), [0.0, 0.1, 0.3])
  func gradientsAreDifferenceQuotients(name: String, penalty: Double) throws {
    let loss = try #require(ReweightingTests.losses.first { $0.0 == name }?.1)
    let (objective, params, step) = try ReweightingTests.step(loss, penalty: penalty)
    let gradient = try objective.valueAndGradient(at: params, step).gradient
    let direction = params.map { Key(2).normal($0.shape, dtype: .float64) }
    func value(_ t: Double) throws -> Double {
      try objective.valueAndGradient(at: params + t * direction, step).value.item
    }
    let quotient = (try value(1e-5) - value(-1e-5)) / 2e-5
    let slope = try gradient.zip(with: direction.learned) { ($0 * $1).sum().item }.leaves.reduce(0, +)
    #expect(abs(slope - quotient) < 1e-6 * max(1, abs(quotient)), "\(slope) \(quotient)")
    #expect(abs(slope) > 1e-5)
  }

  /// Σ (h − d)² / (V + σ²) / (bins − 1), with V kept at its value.
  @Test func chiSquaredKeepsItsVariances() throws {
    let (shares, bins) = (Key(6).uniform([40], dtype: .float64), ReweightingTests.bins)
    let values = Key(7).uniform([40], in: 0..<4, dtype: .float64)
    let data = ObservedData.histogram(
      counts: [20, 40, 25, 30, 5], total: 200, bins: bins, minimumEntries: 10)
    let prepared = try data.prepare(values.expanded(axis: 1))
    let normalized = shares / shares.sum()
    func sums(_ weights: [Double]) -> [Double] {
      var sums = [Double](repeating: 0, count: 4)
      for (x, w) in zip(values.doubles, weights) where bins.index(of: x) < 4 { sums[bins.index(of: x)] += w }
      return sums
    }
    let d: [Double] = [0.1, 0.2, 0.125, 0.15]
    let v = sums(normalized.doubles.map { $0 * $0 })
    let h = sums(normalized.doubles)
    let slopes = (0..<4).map { (bin: Int) -> Double in (h[bin] - d[bin]) / (v[bin] + d[bin] / 200) }
    var expected = 0.0
    for bin in 0..<4 { expected += slopes[bin] * (h[bin] - d[bin]) / 3 }
    let (value, slope) = valueAndGradient(at: normalized) { prepared.loss($0) }
    #expect(abs(value.item - expected) < 1e-12 * expected)
    for (own, x) in zip(slope.doubles, values.doubles) {
      let bin = bins.index(of: x)
      let known = bin < 4 ? 2 * slopes[bin] / 3 : 0
      #expect(abs(own - known) < 1e-9)
    }
    let function = try #require(prepared.chiSquared)
    let chiSquared = function(normalized)
    #expect(chiSquared.degrees == 3 && abs(chiSquared.value - 3 * expected) < 1e-12 * expected)
  }

  @Test func resultsHaveTheSameBitsOnAnyNumberOfThreads() throws {
    let decays = try Decays()
    let start = decays.params
    func result(_ threads: Int) throws -> FineTuned {
      try Parallelism.$threads.withValue(threads) {
        try fineTune(
          decays.flow, start, histories: decays.simulate(Key(1), start, count: 500),
          to: [.samples(decays.sums(Key(2), rate: 3, count: 300))], penalty: 0.01, rounds: 2, steps: 6,
          optimizer: Adam(learningRate: 0.2), progress: .silent
        ) { try decays.simulate($0, $1, count: 400) }
      }
    }
    let one = try result(1)
    for threads in [2, 8] {
      let other = try result(threads)
      #expect(other.params["logRate"].isIdentical(to: one.params["logRate"]))
      #expect(other.report == one.report)
    }
    #expect(one.report.rounds.count == 2)
  }
}
