import Bijections
import Distributions
import Foundation
import Networks
import Privacy
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Files
@testable import Training

@Suite struct PrivateFitTests {
  private let flow = Flow(Serial(Shuffle(), AffineCoupling(MLP(hidden: [6])), ActNorm()))
  private let data = Key(50).normal([90, 2], dtype: .float64) * 0.5 + 1

  private func plan(
    _ clipping: RowClipping = .perRow(0.5), rate: Double = 0.2, steps: Int = 12, noise: Double = 1
  ) throws -> PrivacyPlan {
    try PrivacyPlan(
      noiseMultiplier: noise, delta: 1e-5, rate: rate, batch: 20, steps: steps, clipping: clipping)
  }

  private func step(_ rows: Tensor) throws -> (params: Params, step: TrainingStep) {
    let (params, logPDF, sample) = try flow(Key(1), inputDim: 2, dtype: .float64)
    let moved = params.mapLearned { $0 + 0.3 * wave($0.shape) }
    return (moved, TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(2)))
  }

  private func gradient(_ plan: PrivacyPlan, _ rows: Tensor, seed: UInt64 = 7) throws -> Params {
    let (params, step) = try step(rows)
    let objective = PrivateLikelihood(plan, noise: .notPrivate(seed: seed))
    let (value, gradient) = try objective.valueAndGradient(at: params, step)
    #expect(value.item.isNaN)
    return gradient
  }

  /// The share of rows in the sum of clipped gradients: the same noise is taken away.
  private func share(_ plan: PrivacyPlan, _ rows: Tensor) throws -> Params {
    plan.batch * (try gradient(plan, rows) - gradient(plan, .zeros([0, 2], dtype: .float64)))
  }

  private func explicit(_ row: Tensor) throws -> Params {
    let (params, step) = try step(row)
    return try MaximumLikelihood().valueAndGradient(at: params, step).gradient
  }

  // MARK: The step

  @Test func sumsOfClippedGradients() throws {
    var sum: Params?
    for i in 0..<data.rows {
      let own = try explicit(data[i..<i + 1])
      let clipped = min(1, 0.5 * (1 - 0x1p-13) / own.norm) * own
      sum = sum.map { $0 + clipped } ?? clipped
    }
    let share = try share(plan(), data)
    for (a, b) in zip(share.leaves, sum!.leaves) { #expect(isClose(a, b, 1e-10)) }
  }

  /// A row far out, and rows whose gradients are infinite or NaN.
  @Test(arguments: [1e3, 1e30, 1e160, .infinity, .nan], [RowClipping.perRow(0.5), .perUnit(0.5)])
  func aCanaryIsClipped(_ size: Double, _ clipping: RowClipping) throws {
    let canary = Tensor([[size, -size]], dtype: .float64)
    let norm = try share(plan(clipping), canary).norm
    #expect(norm <= 0.5 && (!(size < 1e50) || norm > 0.2))
    let together = try share(plan(clipping), concatenate(data, canary, axis: 0))
    #expect(try (together - share(plan(clipping), data)).norm <= 0.5)
  }

  @Test func unitsOfARowAreClippedApart() throws {
    let share = try share(plan(.perUnit(0.5)), data[0..<1])
    let own = try explicit(data[0..<1])
    // Units whose gradient is small keep more of it.
    let ratios = zip(share.flattened().doubles, own.flattened().doubles).filter { $1 != 0 }.map { $0 / $1 }
    #expect(ratios.max()! > 1.5 * ratios.min()! && share.norm <= 0.5, "\(ratios)")
  }

  @Test func sparsificationLeavesUnitsOut() throws {
    let half = RowClipping.perRow(0.5).keeping(0.5)
    let (own, noise) = (try share(plan(half), data), try gradient(plan(half), data))
    let (kept, noised) = (own.flattened().doubles, noise.flattened().doubles)
    let zeros = noised.indices.filter { noised[$0] == 0 }
    #expect(zeros.count > noised.count / 5 && zeros.count < 4 * noised.count / 5)
    #expect(zeros.allSatisfy { kept[$0] == 0 })
    let one = try share(plan(half), data[0..<1])
    #expect(0.5 * one.norm <= 0.5)
  }

  @Test func theNoiseOfAnEmptyBatch() throws {
    let empty = Tensor.zeros([0, 2], dtype: .float64)
    let draws = try (0..<100).flatMap { seed in
      try gradient(plan(noise: 3), empty, seed: UInt64(seed)).flattened().doubles
    }
    // σ C / batch, within five standard errors.
    let deviation = (draws.reduce(0) { $0 + $1 * $1 } / Double(draws.count)).squareRoot()
    let expected = 3 * 0.5 / 20.0
    #expect(abs(deviation / expected - 1) < 5 / (2 * Double(draws.count)).squareRoot())
    #expect(abs(draws.reduce(0, +) / Double(draws.count)) < 5 * expected / Double(draws.count).squareRoot())
  }

  /// The gradient of the log-determinant of parameters alone, with rows and without.
  @Test func publicTermsAreNotClipped() throws {
    var open = try plan()
    open.addsPublicTerms = true
    let empty = Tensor.zeros([0, 2], dtype: .float64)
    let term = try gradient(open, empty) - gradient(plan(), empty)
    let leaves = term.leaves.map(\.doubles)
    #expect(leaves.contains { $0.count == 2 && $0.allSatisfy { abs(abs($0) - 1) < 1e-12 } })
    #expect(leaves.joined().allSatisfy { abs($0) < 1e-12 || abs(abs($0) - 1) < 1e-12 })
    // Without clipping, 90 rows and a divisor of 20 count the term 4.5 times, outside the clip once.
    let wide = try plan(.perRow(1e6))
    var wideOpen = wide
    wideOpen.addsPublicTerms = true
    let difference = try gradient(wideOpen, data) - gradient(wide, data)
    for (a, b) in zip(difference.leaves, term.leaves) { #expect(isClose(a, -3.5 * b, 1e-6)) }
  }

  // MARK: The fit

  private func run(
    _ plan: PrivacyPlan, _ data: Tensor, noise: NoiseSource = .notPrivate(seed: 3),
    checkpoint: Checkpoint? = nil, onRecord: (FitState) throws -> Continuation = { _ in .proceed }
  ) throws -> PrivateFit {
    try fit(
      flow, to: data, privately: plan, noise: noise, key: Key(4), checkpoint: checkpoint, progress: .silent,
      onRecord: onRecord)
  }

  @Test func bitsDoNotDependOnThreads() throws {
    let results = try [1, 2, 8].map { threads in
      try Parallelism.$threads.withValue(threads) {
        try run(plan(rate: 0.5), Key(5).normal([700, 2])).fitted.params
      }
    }
    #expect(results[1].isIdentical(to: results[0]) && results[2].isIdentical(to: results[0]))
  }

  @Test(arguments: [0, 1, 2]) func anyNumberOfRowsTakesAllSteps(_ rows: Int) throws {
    let result = try run(plan(), data[0..<rows])
    #expect(result.fitted.state.step == 12 && !result.isPrivate)
    #expect(result.fitted.history.count == 12 && result.fitted.history.allSatisfy { $0.trainingLoss.isNaN })
    #expect(try run(plan(), data[0..<rows], noise: .secret()).isPrivate)
  }

  @Test func itLearns() throws {
    let rows = Key(8).normal([4_000, 2], dtype: .float64) * 0.3 + 1
    let plan = try PrivacyPlan(
      noiseMultiplier: 1, delta: 1e-5, rate: 0.05, batch: 200, steps: 150, clipping: .perRow(1))
    let result = try fit(
      Flow(ActNorm()), to: rows, privately: plan, noise: .notPrivate(seed: 1), key: Key(0),
      optimizer: Adam(learningRate: 0.05), progress: .silent)
    let fitted = try result.fitted.logPDF(result.fitted.params, rows).mean().item
    // The entropy of the data is −2 (½ log 2πe + log 0.3) = −0.43.
    #expect(fitted > -0.8, "\(fitted)")
  }

  @Test func whatReadsRowsIsRefused() throws {
    #expect(throws: FlowError.self) {
      try fit(
        Flow(Serial(BatchNorm(), ActNorm())), to: data, privately: plan(), key: Key(0), progress: .silent)
    }
    #expect(throws: FlowError.self) { try run(plan(), data, checkpoint: Checkpoint("unused")) }
    #expect(throws: PrivacyError.self) { try plan(rate: 1.5) }
    #expect(throws: PrivacyError.self) { try plan(steps: 0) }
  }

  @Test func theChargeCoversTheFitAndOthers() throws {
    let others = try PrivacyLedger(SubsampledGaussian(rate: 1, noiseMultiplier: 20), steps: 1)
    let plan = try PrivacyPlan(
      noiseMultiplier: 2, delta: 1e-5, rate: 0.05, batch: 20, steps: 200, besides: others)
    let alone = try PrivacyPlan(noiseMultiplier: 2, delta: 1e-5, rate: 0.05, batch: 20, steps: 200)
    let (spent, less) = (
      try RDPAccountant().safeEpsilon(of: plan.ledger, delta: 1e-5),
      try RDPAccountant().safeEpsilon(of: alone.ledger, delta: 1e-5)
    )
    #expect(try spent > less && plan.ledger.steps == 201)
  }

  @Test func aCheckpointHoldsNothingPrivate() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let checkpoint = Checkpoint(path, every: .steps(1))
    let halted = try run(plan(), data, noise: .secret(), checkpoint: checkpoint) {
      $0.step == 5 ? .stop : .proceed
    }
    #expect(halted.fitted.state.step == 5)
    let file = try SafeTensors.read(path)
    for name in ["key", "data", "context"] { #expect(file.metadata["run: \(name)"] == nil) }
    #expect(file.metadata["rows"] == "0" && file.metadata["loss"] == "nan")
    #expect(!file.metadata.values.contains { $0.contains(data.fingerprint) || $0.contains("ChaCha") })
    let rest = try run(plan(), data, noise: .secret(), checkpoint: checkpoint)
    #expect(rest.fitted.state.step == 12 && rest.fitted.history.count == 12)
  }
}
