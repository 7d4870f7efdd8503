import Bijections
import Distributions
import Inference
import Networks
import Randomness
import Tensors
import Testing
import Training

@Suite struct SimulationTests {
  /// Rows whose first parameter is negative fail.
  private static let failing: @Sendable (Key, Tensor) throws -> Tensor = { _, theta in
    concatenate(theta, sqrt(theta.sliced(axis: 1, 0..<1)), axis: 1)
  }

  @Test func invalidSimulationsAreCountedAndLeftOut() throws {
    let theta = Tensor([[1, 2], [-1, 3], [4, -5], [-2, -2]])
    let set = try SimulationSet(Self.failing, at: theta, key: Key(0))
    #expect(set.invalid == 2 && set.parameters.doubles == [1, 2, 4, -5])
    #expect(set.data.doubles == [1, 2, 1, 4, -5, 2])
  }

  @Test func invalidSimulationsAreErrorsWhereTheyAreRefused() throws {
    #expect(throws: FlowError.notFinite(who: "the simulator", what: "data", row: 1)) {
      try SimulationSet(Self.failing, at: Tensor([[1, 2], [-1, 3]]), key: Key(0), invalid: .refused)
    }
    #expect(
      throws: FlowError.mismatch(
        who: "the simulator", what: "a row of finite data", expected: "at least",
        got: "NaN or infinity in all")
    ) { try SimulationSet(Self.failing, at: Tensor([[-1, 3]]), key: Key(0)) }
    #expect(
      throws: FlowError.mismatch(who: "the simulator", what: "data", expected: "2 rows", got: "[1, 2]")
    ) { try SimulationSet({ _, x in x[0..<1] }, at: Tensor([[1, 2], [3, 4]]), key: Key(0)) }
  }

  @Test func wrongObservedDataAreErrors() throws {
    func message(_ observed: Tensor, _ method: InferenceMethod, _ embedding: Summary? = nil) throws -> String
    {
      let error = #expect(throws: FlowError.self) {
        try infer(
          simulator: { _, x in x }, prior: .uniform(from: [0, 0], to: [1, 1]), observed: observed, by: method,
          simulations: 20, embedding: embedding, key: Key(0), epochs: 1, progress: .silent)
      }
      return "\(try #require(error))"
    }
    let flow = InferenceMethod.posterior(.maf(layers: 1, hidden: [4]))
    #expect(
      try message(Tensor([[1.0, 2], [3, 4]]), flow)
        == "infer: expected observed data one row, [1] + data; trials: takes several, got [2, 2]")
    #expect(
      try message(Tensor([[1.0]]), flow) == "infer: expected observed data rows of [2], got [1, 1]")
    #expect(
      try message(Tensor([[1.0, .nan]]), flow)
        == "infer: expected finite observed data, got NaN or infinity in row 0")
    #expect(
      try message(Tensor([[1.0, 2]]), .likelihood(), Summary(hidden: [4], width: 2))
        == "infer: expected an embedding none for a likelihood, got one")
  }

  /// The density in the space of all reals is p(θ(z)) |dθ/dz|, whose integral is 1.
  @Test func aBoxIsClosedUnderItsDrawsAndItsDensityIntegratesToOne() throws {
    let prior = try SimulationPrior.uniform(from: [2, -5], to: [2.5, 7])
    let draws = try prior.sample(Key(1), count: 2_000)
    #expect(
      try prior.logDensity(draws).doubles.allSatisfy {
        abs($0 + log(Tensor([6], dtype: .float64)).item) < 1e-5
      })
    #expect(try prior.logDensity(Tensor([[2.6, 0], [2.1, -5.1]])).doubles == [-.infinity, -.infinity])
    let (mean, low, high) = (
      draws.mean(axis: 0).doubles, draws.min(axis: 0).doubles, draws.max(axis: 0).doubles
    )
    #expect(abs(mean[0] - 2.25) < 0.02 && abs(mean[1] - 1) < 0.4)
    #expect(low[0] > 2 && high[0] < 2.5 && low[1] > -5 && high[1] < 7)
    let (params, forward, _) = try prior.toReals(Key(0), inputDim: 2)
    #expect(try forward(params, draws).outputs.isFinite)
  }
}
