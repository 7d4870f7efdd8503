import Bijections
import Distributions
import Randomness
import Tensors
import Testing
import Training

@Suite struct VariationalDiagnosticsTests {
  @Test func weightsOfKnownDistributions() throws {
    let equal = ImportanceWeights(logWeights: [Double](repeating: -3, count: 50))
    #expect(abs(equal.effectiveSampleSize - 50) < 1e-9)
    #expect(equal.elbo == -3 && equal.elboError == 0 && abs(equal.logEvidence + 3) < 1e-12)
    #expect(equal.paretoK == -.infinity)
    let single = ImportanceWeights(logWeights: [0, -800, -900, -.infinity])
    #expect(abs(single.effectiveSampleSize - 1) < 1e-12)
    #expect(single.paretoK == .infinity)
    // Of e^0 and e^1: mean ½, error |1 − 0| / 2; (1 + e)² / (1 + e²).
    let two = ImportanceWeights(logWeights: [0, 1])
    #expect(two.elbo == 0.5 && abs(two.elboError - 0.5) < 1e-12)
    #expect(abs(two.effectiveSampleSize - 1.648054273663885) < 1e-12)
  }

  /// A normal flow of deviation s towards the standard normal: E w² and k̂ = 1 − s² are known for s < 1...
  /// and the evidence.
  @Test(arguments: [(1.5, true), (0.5, false)]) func evidenceOfANormal(
    _ deviation: Double, _ isReliable: Bool
  )
    throws
  {
    let target = Target("normal", inputDim: 1) { x in 0.7 - 0.5 * square(x).sumPerRow() }
    let truth = 0.7 + 0.5 * 1.8378770664093454836
    let flow = Normal(location: 0, scale: .fixed(Tensor(deviation, dtype: .float64)))
    let (params, _, sample) = try flow(Key(0), inputDim: 1, dtype: .float64)
    let weights = try ImportanceWeights(sample, params, of: target, key: Key(1), draws: 20_000)
    // ELBO = log Z − KL, KL = −log s − ½ + ½ s².
    let divergence = -log(Tensor(deviation, dtype: .float64)).item - 0.5 + 0.5 * deviation * deviation
    #expect(abs(weights.elbo - (truth - divergence)) < 4 * weights.elboError)
    #expect((weights.paretoK < 0.7) == isReliable)
    if isReliable { #expect(abs(weights.logEvidence - truth) < 4 * weights.logEvidenceError) }
    #expect(weights.logEvidence >= weights.elbo)
  }

  /// θ ~ N(0, 1), x | θ ~ N(θ, 1): the posterior is N(x / 2, ½). Its ranks are uniform; those of a flow that
  /// is too narrow heap at the ends.
  @Test(arguments: [1.0, 0.5]) func ranksTellAPosteriorFromAnother(_ width: Double) throws {
    let posterior = Flow(
      Lambda { _, site in
        let scale = 0.5.squareRoot() * width
        return site.layer("posterior", .empty) { _, x, context in
          ((x - 0.5 * context!) / scale, .full([x.rows], -log(Tensor(scale)).item))
        } inverse: { _, z, context in
          (z * scale + 0.5 * context!, .full([z.rows], log(Tensor(scale)).item))
        }
      })
    let (params, _, sample) = try posterior(Key(0), inputDim: 1, contextDim: 1)
    let truths = Key(1).normal([400, 1])
    let data = truths + Key(2).normal([400, 1])
    let ranks = try calibrationRanks(
      of: sample, params, truths: truths, given: data, key: Key(3), draws: 99)
    #expect(ranks.shape == [400, 1] && ranks.ints.allSatisfy { (0...99).contains($0) })
    var counts = [Double](repeating: 0, count: 10)
    for rank in ranks.ints { counts[rank / 10] += 1 }
    let chiSquared = counts.reduce(0) { $0 + ($1 - 40) * ($1 - 40) / 40 }
    // 27.9 is the 99.9 % quantile of χ² with nine degrees of freedom.
    #expect(width == 1 ? chiSquared < 27.9 : chiSquared > 60)
    #expect(throws: FlowError.self) {
      try calibrationRanks(of: sample, params, truths: truths, given: data[0..<3], key: Key(3))
    }
  }
}
