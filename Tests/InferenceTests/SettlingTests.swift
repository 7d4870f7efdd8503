import Distributions
import Randomness
import Tensors
import Testing
import Training

@testable import Inference

/// Fits that must not look done, and doubts that must be told.
@Suite struct SettlingTests {
  private let decays: Decays

  init() throws { decays = try Decays() }

  /// The default rate moves the rate from 1 to 1.026 of 4 in a round.
  @Test(arguments: [1, 100]) func shortStepsDoNotConverge(steps: Int) throws {
    let (decays, start) = (decays, decays.params)
    let data = ObservedData.histogram(
      try decays.sums(Key(3), rate: 4, count: 500), bins: Bins(6, over: 0...1.8))
    func report(_ rounds: Int) throws -> FineTuned.Report {
      try fineTune(
        decays.flow, start, histories: decays.simulate(Key(1), start, count: 500), to: [data],
        rounds: rounds, steps: steps, progress: .silent,
        simulate: rounds == 1 ? nil : { try decays.simulate($0, $1, count: 500) }
      ).report
    }
    for rounds in [1, 2] {
      let report = try report(rounds)
      #expect(report.ending == .stepsUsed && report.rounds.count == rounds)
      #expect(!report.rounds[rounds - 1].isSettled)
      #expect(report.warnings.contains { $0.contains("more steps or a higher learning rate") })
    }
  }

  /// A loss that rose, or one that rounding holds, has not settled.
  @Test(arguments: [(ObservedData.Distance.wasserstein, 1e-12), (.energy, 1e-12), (.energy, 1)])
  func lossesThatDoNotFall(_ distance: ObservedData.Distance, _ rate: Double) throws {
    let (decays, start) = (decays, decays.params)
    let near = try decays.sums(Key(3), rate: 1.02, count: 400)
    let report = try fineTune(
      decays.flow, start, histories: decays.simulate(Key(1), start, count: 400),
      to: [.samples(near, distance: distance)], rounds: 1, steps: 1,
      optimizer: SGD(learningRate: .constant(rate)), progress: .silent
    ).report
    #expect(report.ending == .stepsUsed || report.ending == .needsSimulation, "\(report.ending)")
    #expect(!report.rounds[0].isSettled)
  }

  /// With 40 histories the best fit to them has another rate than 1.
  @Test func aLargePenaltyStaysAtTheStart() throws {
    let start = decays.params
    let histories = try decays.simulate(Key(1), start, count: 40)
    #expect(abs(1 / histories.rows.mean().item - 1) > 0.02)
    let result = try fineTune(
      decays.flow, start, histories: histories,
      to: [.samples(try decays.sums(Key(3), rate: 1.5, count: 100))], penalty: 1e6, steps: 40,
      optimizer: Adam(learningRate: .cosine(0.02, steps: 40)), progress: .silent)
    #expect(abs(decays.rate(result.params) - 1) < 0.01)
    #expect(result.report.klFromStart >= 0)
    // Log-weights of any size have a finite estimate, w − 1 − log w below the bend.
    let ratios = [Double](repeating: 0.5, count: 40)
    #expect(abs(histories.divergence(ratios).item - 0.148_721_270_700_128) < 1e-14)
    #expect(histories.divergence([Double](repeating: 1e4, count: 40)).item.isFinite)
    #expect(histories.divergence([Double](repeating: -9, count: 40)).item > 7.9)
  }

  /// A share of 1e-18 next to larger ones, and a history of weight 0 that is alone in its bin.
  @Test func thinBinsHaveAFiniteCrossEntropy() throws {
    let data = ObservedData.histogram(
      counts: [30, 30, 30], bins: Bins(3, over: 0...3), by: .crossEntropy)
    let values = Tensor([[0.5], [1.5], [2.5]], dtype: .float64)
    let thin = try data.prepare(values).loss(Tensor([0.6, 0.4, 1e-18], dtype: .float64)).item
    // −log 3 − (log 0.6 + log 0.4 + log 1e-18) / 3.
    #expect(abs(thin - 13.192_603_721_176) < 1e-9)
    let prepared = try data.prepare(values, weights: [1, 1, 0])
    #expect(abs(prepared.unreachable - 1 / 3.0) < 1e-12)
    #expect(prepared.loss(Tensor([0.5, 0.5, 0], dtype: .float64)).item.isFinite)
  }

  @Test func sumsOfManyValuesAreThoseOfTheirBins() throws {
    let values = Key(4).uniform([5_000], in: 0..<3, dtype: .float64)
    let bins = Bins(edges: [0, 0.01, 0.02, 2, 2.000_1])
    let own = bins.shares(of: values.doubles)
    let data = ObservedData.histogram(values, bins: bins, minimumEntries: 1)
    let equal = Tensor.full([5_000], 1 / 5_000.0, dtype: .float64)
    let loss = try data.prepare(values.expanded(axis: 1)).loss(equal).item
    #expect(own[2] > 0.5 && abs(loss) < 1e-20)
  }

  @Test func emissionsOfAnotherModelAreDoubted() throws {
    var rows = try decays.sample(Key(1), decays.params, count: 200).doubles
    func warnings() throws -> [String] {
      try fineTune(
        decays.flow, decays.params,
        histories: Histories(
          Tensor(rows, shape: [200, 1], dtype: .float64), segments: (0..<200).map { $0 / 2 },
          observables: Tensor((0..<100).map { Double($0 % 9) }, dtype: .float64)),
        to: [.samples(Tensor([1, 2, 3], dtype: .float64))], steps: 1, progress: .silent
      ).report.warnings
    }
    #expect(try !warnings().contains { $0.contains("another model") })
    rows[7] = 1e6
    #expect(try warnings().contains { $0.contains("another model") })
  }

  private func refusal(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "no error"
  }

  @Test func comparisonsCheckTheirObservables() {
    let data = ObservedData.samples(Tensor([1, 2, 3], dtype: .float64))
    #expect(refusal { _ = try data.comparison(with: Tensor([1, .nan])) }.contains("finite observables"))
    #expect(refusal { _ = try data.comparison(with: Tensor(3)) }.contains("one history or more"))
    #expect(refusal { _ = try data.comparison(with: .zeros([0])) }.contains("one history or more"))
    let away = ObservedData.samples(Tensor([1, 2]), factor: -1)
    #expect(refusal { _ = try away.comparison(with: Tensor([1, 2])) }.contains("a factor"))
    let shape = ObservedData("own") { _ in { shares in shares } }
    #expect(refusal { _ = try shape.comparison(with: Tensor([1, 2])) }.contains("shape []"))
  }

  /// One of two histories must not carry nearly all weight.
  @Test(arguments: [[1, 0], [1, 1e-12]]) func oneOfTwoDominates(weights: [Double]) {
    let text = refusal {
      _ = try Histories(
        Tensor([[1], [2]]), segments: [0, 1], observables: Tensor([1, 2]), weights: weights)
    }
    #expect(text.contains("none outweighs all others"))
  }
}
