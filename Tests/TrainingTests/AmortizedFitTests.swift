import Distributions
import Networks
import Randomness
import Tensors
import Training
import Foundation
import Testing

/// Fits to a target with contexts, checkpoints and a validation objective.
@Suite struct AmortizedFitTests {
  /// θ ~ N(0, 1), c | θ ~ N(θ, 1): the posterior is N(c / 2, ½), and the evidence of c is N(c; 0, 2).
  private let posterior = Target("posterior", inputDim: 1, contextDim: 1) { theta, c in
    (-0.5 * square(theta) - 0.5 * square(c - theta)).sumPerRow() - 1.8378770664093454836  // log 2π
  }
  private let contexts = Key(70).normal([200, 1]) * 2.0.squareRoot()

  private func fitted(
    _ objective: some Objective, iterations: Int, continuing state: FitState? = nil,
    checkpoint: Checkpoint? = nil, validation: (any Objective)? = nil, patience: Int? = nil,
    onIteration: (FitState) throws -> Continuation = { _ in .proceed }
  ) throws -> Fitted {
    try fit(
      ConditionalNormal(MLP(hidden: [])), to: posterior, given: contexts, by: objective, continuing: state,
      key: Key(3), iterations: iterations, batchSize: 20,
      optimizer: Adam(learningRate: .cosine(0.05, steps: 300)), validation: validation,
      validationInterval: 10, patience: patience, checkpoint: checkpoint, progress: .silent,
      onIteration: onIteration)
  }

  private func path() -> String {
    FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString).safetensors").path
  }

  @Test func oneFlowLearnsAllPosteriors() throws {
    for objective: any Objective in [
      VariationalBound.reverseKL(draws: 8, estimator: .doublyReparameterized),
      VariationalBound.importanceWeighted(particles: 4, groups: 2), SelfNormalizedForwardKL(draws: 32),
    ] {
      let result = try fitted(objective, iterations: 300)
      for c in [-2.0, 0.5, 3] {
        let context = Tensor([[c]])
        let draws = try result.sample(Key(4), result.params, count: 4_000, given: context)
        let mean = draws.mean().item
        #expect(abs(mean - c / 2) < 0.1, "\(objective)")
        #expect(abs(square(draws - mean).mean().item.squareRoot() - 0.5.squareRoot()) < 0.1)
        let weights = try ImportanceWeights(
          result.sample, result.params, of: posterior, given: context, key: Key(5), draws: 2_000)
        let evidence = -0.5 * log(Tensor(4 * Double.pi)).item - c * c / 4
        #expect(abs(weights.logEvidence - evidence) < 0.03)
      }
    }
  }

  /// An encoder and gated steps learn them too, from an evidence bound.
  @Test func anEncoderWithGatedStepsLearnsAllPosteriors() throws {
    let flow = Flow.amortizedIAF(
      encoder: Summary(hidden: [8], width: 4, activation: .tanh), layers: 2, hidden: [6])
    let result = try fit(
      flow, to: posterior, given: contexts, by: .reverseKL(draws: 8), key: Key(3), iterations: 200,
      batchSize: 20, optimizer: Adam(learningRate: .cosine(0.03, steps: 200)), progress: .silent)
    for c in [-1.5, 1] {
      let draws = try result.sample(Key(4), result.params, count: 2_000, given: Tensor([[c]]))
      let mean = draws.mean().item
      #expect(abs(mean - c / 2) < 0.15, "\(mean) for \(c)")
      #expect(abs(square(draws - mean).mean().item.squareRoot() - 0.5.squareRoot()) < 0.15)
    }
  }

  /// The draws of a context do not depend on how many groups a shard takes: the loss is the mean over
  /// contexts.
  @Test func theLossIsTheMeanOverContexts() throws {
    let (params, logPDF, sample) = try ConditionalNormal(MLP(hidden: []))(
      Key(1), inputDim: 1, contextDim: 1, dtype: .float64)
    let rows = contexts[0..<10].cast(to: .float64)
    func loss(_ context: Tensor, draws: Int) throws -> Double {
      let step = TrainingStep(
        logPDF: logPDF, sample: sample, context: context, target: posterior, key: Key(2))
      return try VariationalBound.reverseKL(draws: draws).valueAndGradient(at: params, step).value.item
    }
    let each = try (0..<10).map { try loss(rows[$0..<$0 + 1], draws: 20_000) }
    #expect(abs(try loss(rows, draws: 20_000) - each.reduce(0, +) / 10) < 0.03)
  }

  @Test func contextsAreChecked() throws {
    for context in [Tensor.ones([0, 1]), .ones([5]), .ones([5, 1], dtype: .float64), .ones([5, 2])] {
      #expect(throws: FlowError.self) {
        try fit(
          ConditionalNormal(MLP(hidden: [])), to: posterior, given: context, key: Key(0), iterations: 1,
          progress: .silent)
      }
    }
    #expect(throws: FlowError.self) {
      try fit(Normal(.learned), to: posterior, key: Key(0), iterations: 1, progress: .silent)
    }
    let error = #expect(throws: FlowError.self) { try posterior(Tensor([[1]])) }
    #expect(error?.description == "posterior: expected context of shape [1, 1], got none")
  }

  /// Killed and resumed is the same run, with its notes; so is a run that goes on from a state.
  @Test func checkpointsKeepTheWholeRun() throws {
    struct Killed: Error {}
    let objective = VariationalBound.reverseKL(draws: 4)
    func note(_ state: FitState) -> Continuation {
      state.step % 3 == 0
        ? .proceed(noting: ["norm": state.params.norm, "a\nstep": Double(state.step), "": 1]) : .proceed
    }
    let whole = try fitted(objective, iterations: 40, validation: objective, onIteration: note)
    let checkpoint = Checkpoint(path(), every: .steps(7))
    defer { try? FileManager.default.removeItem(atPath: checkpoint.path) }
    for last in [5, 16, 30] {
      #expect(throws: Killed.self) {
        try fitted(objective, iterations: 40, checkpoint: checkpoint, validation: objective) {
          if $0.step == last { throw Killed() }
          return note($0)
        }
      }
    }
    let resumed = try fitted(
      objective, iterations: 40, checkpoint: checkpoint, validation: objective, onIteration: note)
    #expect(resumed.params.isIdentical(to: whole.params) && resumed.history == whole.history)
    #expect(whole.history[2].notes["a\nstep"] == 3 && whole.history[3].notes.isEmpty)
    let half = try fitted(objective, iterations: 23, validation: objective, onIteration: note)
    let rest = try fitted(
      objective, iterations: 40, continuing: half.state, validation: objective, onIteration: note)
    #expect(rest.params.isIdentical(to: whole.params) && rest.history == whole.history)

    // Another target of the same name is another run.
    let other = Target("posterior", inputDim: 1, contextDim: 1) { theta, c in (-square(c - theta)).sumPerRow()
    }
    let error = #expect(throws: FlowError.self) {
      try fit(
        ConditionalNormal(MLP(hidden: [])), to: other, given: contexts, by: objective, key: Key(3),
        iterations: 50, batchSize: 20, optimizer: Adam(learningRate: .cosine(0.05, steps: 300)),
        validation: objective, validationInterval: 10, checkpoint: checkpoint, progress: .silent)
    }
    #expect(error?.description.contains("another run, the target: posterior [1]") == true)
  }

  /// The validation objective says which parameters come back, and when to end.
  @Test func theBestParametersComeBack() throws {
    let validation = VariationalBound.reverseKL(draws: 64)
    var seen: [Params] = []
    let result = try fitted(
      .reverseKL(draws: 1), iterations: 2_000, validation: validation, patience: 3
    ) {
      seen.append($0.params)
      return .proceed
    }
    #expect(result.ending == .stoppedEarly)
    let losses = result.history.compactMap(\.validationLoss)
    #expect(losses.count == result.history.count / 10)
    let best = try #require(result.history.last { $0.isBest })
    #expect(best.validationLoss == losses.min() && result.state.best?.index == best.index)
    #expect(result.history.count - 1 - best.index == 30)
    #expect(result.params.isIdentical(to: seen[best.index]))
    let last = try fitted(.reverseKL(draws: 1), iterations: 20)
    #expect(last.params.isIdentical(to: last.state.params) && last.state.best == nil)
  }
}
