import Randomness
import Tensors
import Testing

@testable import Tables

@Suite struct LinearDependenceTests {
  /// Twins and sums are found among columns of any order, and nothing else is.
  @Test func twinsAndSums() {
    let base = Key(0).normal([100, 4], dtype: .float64)
    func column(_ weights: [Double]) -> Tensor {
      let x = matmul(base, Tensor(weights, shape: [4, 1], dtype: .float64))
      return (x - x.mean()) / sqrt(square(x - x.mean()).mean())
    }
    let rows = concatenate(
      [
        [1, 0, 0, 0], [0, 1, 0, 0], [-2, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 3, -1, 0],
        [1, 0, 0, 1e-3],
        [0, 0, 0, 1], [1, 2, 3, 4],
      ].map(column), axis: 1)
    let found = LinearDependence.all(in: rows)
    #expect(
      Set(found) == [
        LinearDependence(column: 2, others: [0]), LinearDependence(column: 3, others: [0, 1]),
        LinearDependence(column: 5, others: [1, 4]), LinearDependence(column: 7, others: [0, 6]),
        LinearDependence(column: 8, others: [0, 1, 4, 6]),
      ], "\(found)")
    // Fewer rows than columns depend on each other whatever they are.
    #expect(LinearDependence.all(in: Key(1).normal([8, 6], dtype: .float64)).isEmpty)
  }
}
