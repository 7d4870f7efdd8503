import Inference
import Randomness
import Tensors
import Testing

@Suite struct EnsembleSliceTests {
  private let small = EnsembleSlice(
    chains: 16, sweeps: 60, mostSweeps: 600, largestRHat: 1.1, smallestSampleSize: 150)

  /// x ~ N(1, 1), y = 3 x + N(0, 0.3²): a narrow diagonal.
  @Test func momentsOfACorrelatedNormal() throws {
    let result = try small(Key(0), from: Key(1).normal([16, 2]), count: 900) { x in
      let (a, b) = (x.sliced(axis: 1, 0..<1), x.sliced(axis: 1, 1..<2))
      return -0.5 * (square(a - 1) + square((b - 3 * a) / 0.3)).sumPerRow()
    }
    let mean = result.draws.mean(axis: 0).doubles
    let variance = square(result.draws - result.draws.mean(axis: 0)).mean(axis: 0).doubles
    #expect(result.draws.shape == [900, 2] && result.hasConverged)
    #expect(abs(mean[0] - 1) < 0.2 && abs(mean[1] - 3) < 0.6)
    #expect(abs(variance[0] - 1) < 0.3 && abs(variance[1] - 9.09) < 2.7)
  }

  /// A mixture of 0.3 N(−4, ½²) and 0.7 N(4, ½²): chains jump between the modes by differences of others.
  @Test func modesGetTheirShares() throws {
    let starts = Tensor((0..<16).map { ($0 < 8 ? -4 : 4) + 0.05 * Double($0) }, shape: [16, 1])
    var sampler = small
    (sampler.mostSweeps, sampler.largestRHat) = (1_000, 1.2)
    let result = try sampler(Key(2), from: starts, count: 900) { x in
      let parts = concatenate(
        -2 * square(x + 4) + log(Tensor([[0.3]], dtype: .float64)),
        -2 * square(x - 4) + log(Tensor([[0.7]], dtype: .float64)), axis: 1)
      return parts.logSumExp(axis: 1)
    }
    #expect(abs((result.draws .> 0).mean().item - 0.7) < 0.1)
  }

  /// Sixteen sweeps cannot bring R̂ so near to 1.
  @Test func chainsThatDisagreeAreAnError() throws {
    let stiff = EnsembleSlice(chains: 16, sweeps: 8, mostSweeps: 16, largestRHat: 1.0001)
    let error = #expect(throws: FlowError.self) {
      try stiff(Key(3), from: Key(9).normal([16, 1]), count: 10) { x in -0.5 * square(x).sumPerRow() }
    }
    #expect("\(try #require(error))".contains("the chains have not converged after 16 sweeps: R-hat is"))
  }

  @Test func startsOfDensityZeroAndOfAnotherShapeAreErrors() {
    #expect(throws: FlowError.notFinite(who: "EnsembleSlice", what: "log-densities of starts", row: 3)) {
      try small(Key(4), from: Key(5).normal([16, 1]), count: 10) { x in
        Tensor((0..<x.rows).map { $0 == 3 ? -.infinity : 0 }, dtype: .float64)
      }
    }
    #expect(
      throws: FlowError.mismatch(
        who: "EnsembleSlice", what: "starts", expected: "[16, numbers]", got: "[4, 1]")
    ) { try small(Key(4), from: Key(5).normal([4, 1]), count: 10) { $0.sumPerRow() } }
  }

  /// A box has no mass outside, and its uniform density has known moments: the change of variables counts.
  @Test func aPriorAloneIsDrawnFromItsBox() throws {
    let prior = try SimulationPrior.uniform(from: [-1, 2], to: [3, 2.5])
    let draws = try small(Key(6), prior: prior, count: 900) { .zeros([$0.rows]) }.parameters
    let (mean, low, high) = (
      draws.mean(axis: 0).doubles, draws.min(axis: 0).doubles, draws.max(axis: 0).doubles
    )
    #expect(low[0] > -1 && high[0] < 3 && low[1] > 2 && high[1] < 2.5)
    #expect(abs(mean[0] - 1) < 0.2 && abs(mean[1] - 2.25) < 0.025)
    let variance = square(draws - draws.mean(axis: 0)).mean(axis: 0).doubles
    #expect(abs(variance[0] - 16.0 / 12) < 0.25 && abs(variance[1] - 0.25 / 12) < 0.004)
  }
}
