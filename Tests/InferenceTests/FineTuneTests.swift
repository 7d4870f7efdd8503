import Bijections
import Distributions
import Inference
import Networks
import Randomness
import Tensors
import Testing
import Training

/// Exponential draws of rate 1, two per history, fitted to data of another rate by their sums.
@Suite struct FineTuneTests {
  private let decays: Decays
  private let start: Params

  init() throws {
    decays = try Decays()
    start = decays.params
  }

  private func tuned(
    _ data: ObservedData, from histories: Histories? = nil, penalty: Double = 0, rounds: Int = 1,
    steps: Int = 40, share: Double = 0.5
  ) throws -> FineTuned {
    let decays = decays
    return try fineTune(
      decays.flow, start, histories: histories ?? decays.simulate(Key(1), start, count: 3_000), to: [data],
      penalty: penalty, key: Key(7), rounds: rounds, steps: steps, optimizer: Adam(learningRate: 0.05),
      effectiveShare: share, progress: .silent,
      simulate: rounds == 1 ? nil : { try decays.simulate($0, $1, count: 3_000) })
  }

  private static func data(_ name: String, _ sums: Tensor) -> ObservedData {
    let bins = Bins(16, over: 0...4)
    switch name {
    case "chi-squared": return .histogram(sums, bins: bins)
    case "cross-entropy": return .histogram(sums, bins: bins, by: .crossEntropy)
    case "wasserstein": return .samples(sums)
    default: return .samples(sums, distance: .energy)
    }
  }

  /// A rate within reach of one round: its effective share is 0.65.
  @Test(arguments: ["chi-squared", "cross-entropy", "wasserstein", "energy"])
  func everyLossRecoversTheRate(loss: String) throws {
    let data = FineTuneTests.data(loss, try decays.sums(Key(3), rate: 1.8, count: 3_000))
    let result = try tuned(data)
    #expect(abs(decays.rate(result.params) - 1.8) < 0.13)
    #expect(result.report.after[0].loss < 0.2 * result.report.before[0].loss)
    #expect(result.report.rounds[0].steps == 40)
    // KL of a pair of draws from rate 1 to rate r: 2 (r − 1 − log r).
    #expect(abs(result.report.klFromStart - 2 * (0.8 - 0.5878)) < 0.08)
  }

  /// From rate 1 to 4 the effective share is 0.19. One round stops near rate 2.18, where it is a half, at the
  /// latest at 2.36, where it is 0.4.
  @Test func farDataNeedRounds() throws {
    let sums = try decays.sums(Key(3), rate: 4, count: 3_000)
    let data = ObservedData.histogram(sums, bins: Bins(12, over: 0...1.8))
    let (one, many) = (try tuned(data), try tuned(data, rounds: 6))
    #expect(abs(decays.rate(one.params) - 2.18) < 0.2)
    #expect(one.report.ending == .needsSimulation && one.report.rounds[0].isLimited)
    #expect(one.report.warnings.contains { $0.contains("simulate again") })
    #expect(abs(decays.rate(many.params) - 4) < 0.15)
    #expect(many.report.ending == .converged && many.report.rounds.count > 1)
    #expect(many.report.warnings.isEmpty)
    let (before, after) = (many.report.before[0], many.report.after[0])
    #expect(try #require(before.reducedChiSquared) > 20)
    #expect(try #require(after.reducedChiSquared) < 2)
    #expect(try #require(one.report.after[0].reducedChiSquared) > 5)
    for round in many.report.rounds { #expect(round.effectiveSampleSize > 0.39 * 3_000) }
  }

  /// A step of any length is shortened to one that leaves half of the effective sample.
  @Test func noStepLetsOneWeightDominate() throws {
    let data = FineTuneTests.data("energy", try decays.sums(Key(3), rate: 4, count: 3_000))
    let result = try fineTune(
      decays.flow, start, histories: decays.simulate(Key(1), start, count: 3_000), to: [data],
      optimizer: SGD(learningRate: 1e3), progress: .silent)
    let round = result.report.rounds[0]
    #expect(round.isLimited && round.effectiveSampleSize > 0.39 * 3_000)
    #expect(decays.rate(result.params) > 1.5)
  }

  @Test func aCancelledFitEndsAfterItsStep() async throws {
    let (decays, start) = (decays, start)
    let sums = try decays.sums(Key(3), rate: 1.8, count: 500)
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try fineTune(
        decays.flow, start, histories: decays.simulate(Key(1), start, count: 500), to: [.samples(sums)],
        progress: .silent
      ) { try decays.simulate($0, $1, count: 500) }
    }
    task.cancel()
    let report = try await task.value.report
    #expect(report.ending == .cancelled && report.rounds.count == 1 && report.fresh.isEmpty)
    #expect(report.rounds[0].steps == 0)
  }

  @Test func aLossThatRisesIsReported() throws {
    let data = FineTuneTests.data("energy", try decays.sums(Key(3), rate: 1.02, count: 500))
    let result = try fineTune(
      decays.flow, start, histories: decays.simulate(Key(1), start, count: 500), to: [data], steps: 1,
      optimizer: SGD(learningRate: 1e4), progress: .silent)
    #expect(result.report.warnings.contains { $0.contains("lower learning rate") })
  }

  @Test func aHeavyTailIsReported() throws {
    let data = FineTuneTests.data("energy", try decays.sums(Key(3), rate: 0.3, count: 3_000))
    let result = try tuned(data, share: 0.02)
    #expect(result.report.rounds[0].paretoK > 0.5)
    #expect(result.report.warnings.contains { $0.contains("heavy tail") })
  }

  @Test func thePenaltyHoldsTheDensityNearItsStart() throws {
    let data = FineTuneTests.data("energy", try decays.sums(Key(3), rate: 1.8, count: 1_000))
    let divergences = try [0, 0.05, 1].map { try tuned(data, penalty: $0).report.klFromStart }
    #expect(divergences[0] > divergences[1] && divergences[1] > divergences[2] && divergences[2] > 0)
  }

  @Test func severalMeasurementsAddUp() throws {
    let (r, decays) = (1.7, decays)
    let observed = try decays.simulate(Key(3), decays.params(r), count: 1_500).observables
    let result = try fineTune(
      decays.flow, start, histories: decays.simulate(Key(1), start, count: 1_500),
      to: [
        .samples(observed, observables: [0, 1], directions: 5, factor: 0.5),
        .histogram(
          observed.sliced(axis: 1, 1..<2), bins: Bins(8, over: 0...2.5), observable: 1, factor: 0.01,
          name: "largest"),
      ], steps: 40, optimizer: Adam(learningRate: 0.05), progress: .silent)
    #expect(abs(decays.rate(result.params) - r) < 0.12)
    #expect(result.report.after.map(\.name) == ["samples", "largest"])
    #expect(
      result.report.after[0].reducedChiSquared == nil && (6...7).contains(result.report.after[1].degrees!))
  }

  @Test func frozenParametersStay() throws {
    let flow = Flow(Serial(AffineCoupling(MLP(hidden: [3])), ElementwiseAffine()))
    let (params, _, sample) = try flow(Key(1), inputDim: 1, contextDim: 1, dtype: .float64)
    let context = Key(2).uniform([200, 1], dtype: .float64)
    let x = try sample(Key(3), params, count: 200, given: context)
    let histories = try Histories(
      x, context: context, segments: (0..<200).map { $0 / 2 },
      observables: x.reshaped(to: [100, 2]).sum(axis: 1))
    let result = try fineTune(
      flow, params, histories: histories, to: [.samples(x.sliced(axis: 1, 0..<1) + 0.5)],
      freezing: ["bijection/0"], steps: 5, progress: .silent)
    let kept = try result.params.zip(with: params) { $0.isIdentical(to: $1) }
    #expect(kept.child("bijection").child(0).leaves.allSatisfy { $0 })
    #expect(kept.child("bijection").child(1).leaves.contains(false))
    #expect(result.params.learnedLeaves.count == params.learnedLeaves.count)
  }
}
