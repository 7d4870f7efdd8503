import Foundation
import Randomness
import Tensors
import Testing

@testable import Inference

/// Numbers from Tests/Fixtures/make_distances.py: SciPy's distances, and sums over all pairs.
@Suite struct DistanceTests {
  private struct Fixture: Decodable {
    struct Line: Decodable { let values, weights, data: [Double], wasserstein, energy: Double }
    struct Space: Decodable { let values, weights, data: [Double], columns: Int, energy: Double }
    let lines: [Line]
    let spaces: [Space]
  }

  private func fixture() throws -> Fixture {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/distances.json")
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
  }

  private func shares(_ weights: [Double]) -> Tensor {
    let weights = Tensor(weights, dtype: .float64)
    return weights / weights.sum()
  }

  @Test func distancesOnALineAreSciPys() throws {
    for item in try fixture().lines {
      let observables = Tensor(item.values, shape: [item.values.count, 1], dtype: .float64)
      func value(_ distance: ObservedData.Distance) throws -> Double {
        let data = ObservedData.samples(Tensor(item.data, dtype: .float64), distance: distance)
        return try data.prepare(observables).loss(shares(item.weights)).item
      }
      #expect(abs(try value(.wasserstein) - item.wasserstein) < 1e-12)
      #expect(abs(try value(.energy) - item.energy) < 1e-12)
    }
  }

  /// The mean over directions differs from the sum over pairs by a standard error of a few percent.
  @Test func theEnergyDistanceOfSeveralColumnsIsThatOfAllPairs() throws {
    for item in try fixture().spaces {
      let columns = Array(0..<item.columns)
      func matrix(_ values: [Double]) -> Tensor {
        Tensor(values, shape: [values.count / item.columns, item.columns], dtype: .float64)
      }
      let data = ObservedData.samples(
        matrix(item.data), distance: .energy, observables: columns, directions: 1_500, key: Key(3))
      let value = try data.prepare(matrix(item.values)).loss(shares(item.weights)).item
      #expect(abs(value / item.energy - 1) < 0.04, "\(value) \(item.energy)")
    }
    // The mean of |cos| over the circle, |z| over the sphere, and the next two.
    #expect((1...3).map(ObservedData.meanProjection) == [1, 2 / Double.pi, 0.5])
    #expect(abs(ObservedData.meanProjection(4) - 4 / (3 * Double.pi)) < 1e-15)
  }

  @Test func distancesOfEqualSamplesAreZero() throws {
    let rows = Key(0).normal([50, 3], dtype: .float64)
    let equal = Tensor.full([50], 1 / 50.0, dtype: .float64)
    for distance in [ObservedData.Distance.wasserstein, .energy] {
      let data = ObservedData.samples(rows, distance: distance, observables: [0, 1, 2])
      #expect(abs(try data.prepare(rows).loss(equal).item) < 1e-14)
    }
  }
}
