import Bijections
import Distributions
import Integration
import Networks
import Randomness
import Tensors
import Testing
import Training

/// Flow matching, then matching again on the flow's own draws and latents.
@Suite struct ReflowTests {
  private func flow(_ steps: Int) -> Flow {
    let network = MLP(hidden: [24, 24], activation: .tanh)
    return Flow(ContinuousFlow(NetworkField(network, frequencies: 1), solver: .steps(steps), logDet: .trace))
  }

  /// The error of draws by a single step.
  private func errorOfOneStep(_ params: Params) throws -> Double {
    func draws(_ steps: Int) throws -> Tensor {
      let (_, _, sample) = try flow(steps)(Key(0), inputDim: 2)
      return try sample(Key(9), params, count: 200)
    }
    return abs(try draws(1) - draws(12)).mean().item
  }

  /// A reflow makes paths straighter, so that fewer steps are enough.
  @Test func makesPathsStraighter() throws {
    let sides = 2 * (2 * Key(1).bernoulli([400, 1]) - 1)
    let rows = 0.3 * Key(2).normal([400, 2]) + concatenate(sides, 0 * sides, axis: 1)
    func fitted(_ rows: Tensor, _ objective: FlowMatching, start: Params?) throws -> Fitted {
      try fit(
        flow(6), to: rows, by: objective, start: start, key: Key(3), epochs: 40, batchSize: 100,
        optimizer: Adam(learningRate: 0.01), validationFraction: 0, progress: .silent)
    }
    let first = try fitted(rows, FlowMatching(), start: nil)
    let draws = try first.sample(Key(4), first.params, count: 400)
    let (_, forward, _) = try flow(6).bijection(Key(0), inputDim: 2)
    let own = first.params.child("bijection")
    let second = try fitted(
      draws, FlowMatching(.latents { rows, _ in try forward(own, rows).outputs }), start: first.params)
    let errors = (try errorOfOneStep(first.params), try errorOfOneStep(second.params))
    #expect(errors.1 < 0.5 * errors.0, "\(errors)")
    let means = try second.sample(Key(5), second.params, count: 400).doubles.map { abs($0) }
    #expect(means.reduce(0, +) / 800 > 0.8, "the two sides stay apart")
  }
}
