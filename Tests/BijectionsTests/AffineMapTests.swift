import Tensors
import TestSupport
import Testing

@testable import Bijections

/// The kernel of affine maps against its composition, finite differences and the other rules.
@Suite struct AffineMapTests {
  private static let cases: [(LogScale, n: Int, isInverse: Bool)] = [
    (.bounded(2), 1, false), (.bounded(2), 3, false), (.exponential, 20, false),
    (.sigmoid(shift: 2), 17, false),
    (.bounded(1.5), 2, true), (.exponential, 18, true), (.sigmoid(shift: 0), 5, true),
    (.within(low: 0.5, high: 2), 3, false), (.within(low: 0, high: 2), 3, true),
    (.arctangent(1.272), 3, false),
  ]

  @Test(arguments: cases.indices) func rules(_ index: Int) {
    let (scale, n, isInverse) = Self.cases[index]
    let inputs = [wave([2, 2, n], phase: 1), wave([2, 2, 2 * n], phase: 4)]
    let row = PrimitiveRow("affine, \(scale), \(n)\(isInverse ? ", inverse" : "")", inputs) {
      let (y, logDet) = AffineMap.map($0[0], $0[1], scale: scale, isInverse: isInverse)
      return concatenate([y.reshaped(to: [2, 2 * n]), logDet.expanded(axis: 1)], axis: 1)
    }
    #expect(row.checkTangents() == [])
    #expect(row.checkCotangents() == [])
    #expect(row.checkNesting() == [])
    #expect(row.checkSinglePrecision() == [])
    if let map = AffineMap(scale, isInverse: isInverse) { #expect(disagreement(map, inputs) < 1e-13) }
  }
}
