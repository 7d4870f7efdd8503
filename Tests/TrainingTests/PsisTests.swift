import Tensors
import Training
import Foundation
import Testing

/// Numbers from Tests/Fixtures/make_psis.py: ArviZ's Pareto-smoothed importance sampling.
@Suite struct PsisTests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      let logWeights, smoothed: [Double]
      let k: Double
    }
    let cases: [Case]
  }

  @Test func smoothedWeightsAreArviZs() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/psis.json")
    for item in try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file)).cases {
      let weights = ImportanceWeights(logWeights: item.logWeights)
      #expect(abs(weights.paretoK - item.k) < 1e-9)
      // ArviZ's sum to 1.
      let smoothed = weights.paretoSmoothed
      let total = Tensor(smoothed.logWeights, dtype: .float64).logSumExp(axis: 0).item
      for (own, theirs) in zip(smoothed.logWeights, item.smoothed) {
        #expect(abs(own - total - theirs) < 1e-9 * max(1, abs(theirs)))
      }
      #expect(smoothed.logWeights.max()! <= item.logWeights.max()!)
      #expect(smoothed.effectiveSampleSize >= 0.9 * weights.effectiveSampleSize)
    }
  }

  @Test func fewOrEqualWeightsStayAsTheyAre() {
    for logWeights: [Double] in [
      [0], [1, 2, 3], [Double](repeating: -3, count: 50), [0, -800, -900, -.infinity],
    ] {
      #expect(ImportanceWeights(logWeights: logWeights).paretoSmoothed.logWeights == logWeights)
    }
  }
}
