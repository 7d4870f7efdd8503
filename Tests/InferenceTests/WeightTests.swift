import Distributions
import Randomness
import Tensors
import Testing
import Training

@testable import Inference

/// Weights of two exponential draws of rate 1 under rate r: w = r² exp((1 − r) Σ x).
@Suite struct WeightTests {
  private let decays: Decays
  private let histories: Histories

  init() throws {
    decays = try Decays()
    histories = try decays.simulate(Key(1), decays.params, count: 20_000)
  }

  @Test func weightsAtTheStartAreExactlyOne() throws {
    let weights = try histories.importanceWeights(decays.logPDF, decays.params, from: decays.params)
    #expect(weights.logWeights.allSatisfy { $0 == 0 })
    #expect(abs(weights.effectiveSampleSize - 20_000) < 1e-6)
  }

  /// E w = 1, and ESS / N tends to 1 / E w² = (2 r − 1)² / r⁴, 9/16 at r = 2.
  @Test(arguments: [1.2, 2.0, 3.0]) func weightsHaveMeanOneAndTheKnownEffectiveSize(rate: Double) throws {
    let weights = try histories.importanceWeights(decays.logPDF, decays.params(rate), from: decays.params)
    let values = exp(Tensor(weights.logWeights, dtype: .float64))
    let (r, n) = (rate, 20_000.0)
    let share = (2 * r - 1) * (2 * r - 1) / (r * r * r * r)
    let error = ((1 / share - 1) / n).squareRoot()
    #expect(abs(values.mean().item - 1) < 4 * error)
    #expect(abs(weights.effectiveSampleSize / n - share) < 0.02)
    for (w, sum) in zip(weights.logWeights, histories.observables.sliced(axis: 1, 0..<1).doubles).prefix(9) {
      #expect(abs(w - (2 * log(Tensor(r, dtype: .float64)).item + (1 - r) * sum)) < 1e-12)
    }
  }

  /// At rates up to ½ the weights' variance is infinite: their tail has the shape 1 − r.
  @Test func theTailTellsOfAnInfiniteVariance() throws {
    func shape(_ rate: Double) throws -> Double {
      try histories.importanceWeights(decays.logPDF, decays.params(rate), from: decays.params).paretoK
    }
    #expect(try shape(2) < 0.3)
    #expect(try shape(0.25) > 0.5)
  }

  @Test func segmentsMayComeInAnyOrder() throws {
    let order = Key(5).permutation(histories.rows.rows)
    let mixed = try Histories(
      histories.rows.rows(order), segments: order.map { histories.segments[$0] },
      observables: histories.observables)
    let params = try decays.params(1.5)
    let (a, b) = try (
      histories.importanceWeights(decays.logPDF, params, from: decays.params).logWeights,
      mixed.importanceWeights(decays.logPDF, params, from: decays.params).logWeights
    )
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(mixed.lengths.allSatisfy { $0 == 2 })
  }

  @Test func ownWeightsMultiply() throws {
    let own = (0..<20_000).map { Double($0 % 3) }
    let weighted = try Histories(
      histories.rows, segments: histories.segments, observables: histories.observables, weights: own)
    let weights = try weighted.importanceWeights(decays.logPDF, decays.params, from: decays.params)
    #expect(zip(weights.normalized.doubles, own).allSatisfy { abs($0 - $1 / 19_999) < 1e-12 })
  }
}
