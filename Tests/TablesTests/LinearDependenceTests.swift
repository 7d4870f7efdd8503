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
    // Twins with other missing numbers are compared where both are known.
    let (x, z) = (base.sliced(axis: 1, 0..<1).doubles, base.sliced(axis: 1, 1..<2).doubles)
    func partial(_ change: (Int) -> Double) -> [LinearDependence] {
      let y = (0..<100).map { $0 % 7 == 2 ? .nan : change($0) }
      return LinearDependence.all(
        in: stack([x, z, y].map { Tensor($0, dtype: .float64) }, axis: 1))
    }
    #expect(partial { 1 - 3 * x[$0] } == [LinearDependence(column: 2, others: [0])])
    #expect(partial { z[$0] + 1e-3 * x[$0] }.isEmpty)
    // Fewer rows than columns depend on each other whatever they are.
    #expect(LinearDependence.all(in: Key(1).normal([8, 6], dtype: .float64)).isEmpty)
  }
}
