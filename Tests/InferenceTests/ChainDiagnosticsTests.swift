import Foundation
import Inference
import Tensors
import Testing

/// Numbers from Tests/Fixtures/make_chains.py: ArviZ's rank-normalized R̂ and bulk effective sample size.
@Suite struct ChainDiagnosticsTests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      let draws: [[Double]]
      let rHat, size: Double
    }
    let cases: [Case]
  }

  @Test func bothAreArviZs() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/chains.json")
    let cases = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file)).cases
    #expect(cases.count == 4)
    for item in cases {
      let draws = Tensor(item.draws, dtype: .float64).expanded(axis: 2)
      let own = ChainDiagnostics(draws)
      #expect(abs(own.largestRHat - item.rHat) < 1e-9)
      #expect(abs(own.smallestSampleSize - item.size) < 1e-7 * item.size)
    }
  }

  @Test func eachNumberOfASampleIsJudgedByItself() {
    let good = (0..<40).map { Double($0 * 37 % 40) }
    let draws = (0..<2).flatMap { chain in good.flatMap { [$0, $0 + 100 * Double(chain)] } }
    let own = ChainDiagnostics(Tensor(draws, shape: [2, 40, 2], dtype: .float64))
    #expect(own.rHat[0] < 1.05 && own.rHat[1] > 1.5)
    var broken = draws
    broken[6] = .nan
    let judged = ChainDiagnostics(Tensor(broken, shape: [2, 40, 2], dtype: .float64))
    #expect(judged.rHat == [.infinity, own.rHat[1]] && judged.smallestSampleSize == 0)
    #expect(own.effectiveSampleSize[0] > 40 && own.effectiveSampleSize[1] < 10)
  }
}
