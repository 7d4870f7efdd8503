import Bijections
import Distributions
import Tensors
import Testing
import Training

@testable import Randomness

@Suite struct VariationalFitTests {
  private let target = Target("normal", inputDim: 2, logNormalizer: 2) { x in
    let z = (x - 1) / Tensor([0.5, 2], dtype: .float64).cast(to: x.dtype)
    return 2 - 1.8378770664093454836 - 0.5 * square(z).sumPerRow()  // log 2π; the deviations' product is 1
  }
  private let flow = Flow(Inverted(Serial(Planar(), ActNorm())), prior: Normal(.learned))

  private func fitted(
    _ iterations: Int, continuing state: FitState? = nil, freezing: Freezing = .priors,
    draws: Int = 300
  ) throws -> Fitted {
    try fit(
      flow, to: target, by: .reverseKL(draws: draws), continuing: state, freezing: freezing, key: Key(3),
      iterations: iterations, optimizer: Adam(learningRate: 0.05), progress: .silent)
  }

  @Test func findsTheNormalizer() throws {
    let result = try fit(
      Normal(.learned), to: target, by: .reverseKL(draws: 64, estimator: .doublyReparameterized), key: Key(0),
      iterations: 400, optimizer: Adam(learningRate: .cosine(0.1, steps: 400)), progress: .silent)
    let weights = try ImportanceWeights(result.sample, result.params, of: target, key: Key(1), draws: 1_000)
    #expect(abs(weights.elbo - 2) < 1e-4)
    #expect(abs(weights.logEvidence - 2) < 1e-4)
    #expect(result.history.count == 400 && result.history[0].trainingLoss > result.history[399].trainingLoss)
  }

  /// A fit in two calls is the fit in one, to the bit; threads do not matter.
  @Test func continuesToTheBit() throws {
    let whole = try fitted(6)
    let half = try fitted(3)
    let rest = try fitted(6, continuing: half.state)
    #expect(rest.params.isIdentical(to: whole.params))
    #expect(rest.history == whole.history)
    #expect(rest.history.map(\.index) == [0, 1, 2, 3, 4, 5])
    #expect(rest.state.step == 6)
    let alone = try Parallelism.$threads.withValue(1) { try fitted(6) }
    #expect(alone.params.isIdentical(to: whole.params))
  }

  @Test func priorIsTrainedOnlyWhenAsked() throws {
    let start = try flow(Key(3).folded(in: 0), inputDim: 2).params
    let frozen = try fitted(3)
    #expect(frozen.params.child("prior").isIdentical(to: start.child("prior")))
    #expect(!frozen.params.child("bijection").isIdentical(to: start.child("bijection")))
    #expect(frozen.params.paths == start.paths)
    #expect(frozen.params.learnedCount == start.learnedCount)  // frozen for the fit alone
    let all = try fitted(3, freezing: .nothing)
    #expect(!all.params.child("prior").isIdentical(to: start.child("prior")))
    let only = try fitted(3, freezing: Freezing { !$0.hasSuffix("bias") })
    #expect(only.params[path: "bijection/1/logScale"]!.isIdentical(to: start[path: "bijection/1/logScale"]!))
    #expect(!only.params[path: "bijection/1/bias"]!.isIdentical(to: start[path: "bijection/1/bias"]!))
    // The fitted parameters are the flow's: its own functions take them.
    _ = try frozen.sample(Key(9), frozen.params, count: 2)
  }

  @Test func recordsAndStops() throws {
    let result = try fit(
      flow, to: target, key: Key(0), iterations: 50, progress: .silent
    ) {
      if $0.history.count >= 4 && $0.latest.gradientNorm >= 0 { return .stop }
      return .proceed(noting: ["index": Double($0.latest.index), "norm": $0.params.norm])
    }
    #expect(result.ending == .stoppedByCallback)
    #expect(result.history.map { $0.notes["index"] } == [0, 1, 2, nil])
    #expect(result.history.allSatisfy { $0.gradientNorm > 0 && $0.notes["norm"] ?? 1 > 0 })
  }

  @Test func refusesWhatCannotBeFitted() throws {
    let nowhere = Target("nowhere", inputDim: 2) { x in log(x.sumPerRow() * 0) }
    let error = #expect(throws: FlowError.self) {
      try fit(flow, to: nowhere, key: Key(0), iterations: 2, progress: .silent)
    }
    guard case .diverged("fit to nowhere", 0, "the loss", let lastGood)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(lastGood.isIdentical(to: try flow(Key(0).folded(in: 0), inputDim: 2).params))
    #expect(throws: FlowError.self) {
      try fit(Flow(BatchNorm()), to: target, key: Key(0), iterations: 1, progress: .silent)
    }
    #expect(throws: FlowError.self) {
      try fit(flow, to: target, start: .empty, key: Key(0), progress: .silent)
    }
    #expect(throws: FlowError.self) {
      try fit(
        flow, to: target, by: ForwardKL(on: .zeros([5, 3])), key: Key(0), iterations: 1, progress: .silent)
    }
  }

  @Test func everyObjectiveFitsWithoutReusingAKey() throws {
    let samples = 1 + Key(8).normal([50, 2])
    let objective = WeightedSum(
      (1, VariationalBound.reverseKL(draws: 150, estimator: .doublyReparameterized)),
      (1, ForwardKL(on: samples, batchSize: 20)),
      (1, SelfNormalizedForwardKL(draws: 20)),
      (1, VariationalBound.importanceWeighted(particles: 5, groups: 40)),
      (
        1,
        Annealed(
          VariationalBound.alphaDivergence(0.5), inverseTemperature: .linear(from: 0.1, to: 1, steps: 3))
      ))
    let recorder = KeyRecorder()
    try Parallelism.$threads.withValue(1) {
      try KeyRecorder.$current.withValue(recorder) {
        _ = try fit(flow, to: target, by: objective, key: Key(0), iterations: 3, progress: .silent)
      }
    }
    #expect(recorder.reuses == [])
    #expect(recorder.keyCount > 30)
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5]) func presetsLearn(_ i: Int) throws {
    let momentum = target.withMomentum()
    let (flow, target) =
      [
        (Flow.planar(layers: 3), target), (Flow.radial(layers: 3), target),
        (Flow.sylvester(layers: 2, units: 2), target),
        (Flow.variationalRealNVP(layers: 2, hidden: [8]), target),
        (Flow.variationalNeuralSpline(layers: 1, hidden: [8], bins: 4), target),
        (Flow.hamiltonian(over: target, layers: 2), momentum),
      ][i]
    let result = try fit(
      flow, to: target, by: .reverseKL(draws: 64), key: Key(0), iterations: 60,
      optimizer: Adam(learningRate: 0.02), progress: .silent)
    func mean(_ part: ArraySlice<Fitted.Record>) -> Double {
      part.reduce(0) { $0 + $1.trainingLoss } / Double(part.count)
    }
    #expect(mean(result.history[50...]) < mean(result.history[..<10]))
    #expect(mean(result.history[50...]) > -2 - 0.2)  // no ELBO exceeds the log-normalizer
  }

  /// Eight schools on the real line: the flow's draws keep τ positive, and its ELBO includes the map's
  /// log-determinant.
  @Test func fitsConstrainedPosteriors() throws {
    let constraint = Blockwise(([1], Serial()), ([1], Log()), ([8], Serial()))
    let flow = Flow(Serial(constraint, ActNorm()))
    let result = try fit(
      flow, to: .eightSchools(), by: .reverseKL(draws: 64), key: Key(0), iterations: 150,
      optimizer: Adam(learningRate: 0.05), progress: .silent)
    let draws = try result.sample(Key(1), result.params, count: 200)
    #expect(draws.sliced(axis: 1, 1..<2).doubles.allSatisfy { $0 > 0 })
    #expect(result.history[149].trainingLoss < result.history[0].trainingLoss)
    #expect(result.history[149].trainingLoss < 36)
  }
}
