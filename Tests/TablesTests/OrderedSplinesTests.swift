import Bijections
import Distributions
import Randomness
import Tensors
import Testing
import Verification

@testable import Tables

@Suite struct OrderedSplinesTests {
  private let flow = Flow.orderedSplines(layers: 1, hidden: [8], bins: 4)

  @Test(arguments: [1, 3]) func logDeterminantsAreRight(width: Int) throws {
    let layer = OrderedSplines(layers: 2, hidden: [8], bins: 4, bound: 3)
    let shape = Shape([width])
    try LogDetCheck(of: layer, inputDim: shape, key: Key(0)).verify()
    try LogDetCheck(of: layer, inputDim: shape, contextDim: 2, key: Key(1)).verify()
  }

  /// The map starts by whitening, and every output depends on its own number and earlier ones alone.
  @Test func itWhitensAndIsTriangular() throws {
    let x =
      matmul(
        Key(0).normal([500, 3], dtype: .float64),
        Tensor([[2, 1, 0], [0, 0.1, 3], [0, 0, 1]], dtype: .float64)) + 7
    let (params, forward, _) = try flow.bijection(Key(1), inputDim: 3, initInputs: x, dtype: .float64)
    let y = try forward(params, x).outputs
    let covariance = matmul(y, y, transposeA: true) / 500
    #expect(abs(covariance - .identity(3, dtype: .float64)).max(axis: 0).max(axis: 0).item < 1e-9)
    var i = 0
    let moved = params.map { leaf in
      i += 1
      return leaf + 0.3 * Key(i).normal(leaf.shape, dtype: .float64)
    }
    let jacobian = try rowJacobians(at: x[0..<4]) { try forward.body(moved, $0, nil).outputs }
    for row in 0..<4 {
      let entries = jacobian[row..<row + 1].doubles
      #expect(entries[1] == 0 && entries[2] == 0 && entries[5] == 0 && entries[3] != 0)
      #expect(entries[0] > 0 && entries[4] > 0 && entries[8] > 0)
    }
  }

  @Test func heavyTailsIntegrateToOne() throws {
    let (params, logPDF, sample) = try HeavyNormal()(Key(0), inputDim: 1, dtype: .float64)
    let heavier = params.map { _ in Tensor([-1], dtype: .float64) }
    // x = sinh(s) reaches far into the tails.
    let s = Tensor((0..<8_000).map { (Double($0) + 0.5) / 200 - 20 }, dtype: .float64)
    let x = 0.5 * (exp(s) - exp(-s))
    let slope = 0.5 * (exp(s) + exp(-s))
    for params in [params, heavier] {
      let density = exp(try logPDF(params, x.expanded(axis: 1)))
      #expect(abs((density * slope).sum().item / 200 - 1) < 1e-9)
    }
    let draws = try sample.withLogPDF(Key(1), heavier, count: 20_000)
    #expect(isEqual(draws.logPDF, try logPDF(heavier, draws.samples)))
    // P(|x| > 3) of the mixture, with w = σ(−1) and P(|t₂| > 3) = 1 − 3/√11.
    let far = abs(draws.samples).doubles.count { $0 > 3 }
    let w = 0.2689414213699951
    let truth = w * (1 - 3 / 11.0.squareRoot()) + (1 - w) * 0.0026997960632601866
    #expect(abs(Double(far) / 20_000 - truth) < 4e-3)
    // Numbers that overflow when squared have a density all the same.
    let (small, _, _) = try HeavyNormal()(Key(0), inputDim: 1)
    let wild = HeavyNormal.logDensities(small, Tensor([[1e30], [-1e30], [0]]))
    #expect(wild.isFinite && wild.doubles[0] > -300)
  }

  private func isEqual(_ a: Tensor, _ b: Tensor) -> Bool { abs(a - b).max(axis: 0).item < 1e-9 }
}
