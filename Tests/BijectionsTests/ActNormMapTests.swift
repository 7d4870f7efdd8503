import Tensors
import TestSupport
import Testing

@testable import Bijections

/// The kernel of `ActNorm` against its composition, finite differences and the other rules.
@Suite struct ActNormMapTests {
  @Test(arguments: [1, 2, 3, 17, 70], [false, true]) func rules(_ size: Int, _ isInverse: Bool) {
    let inputs = [wave([2, 2, size], phase: 1), wave([size], phase: 4), wave([size], phase: 2)]
    let row = PrimitiveRow("ActNorm, \(size)\(isInverse ? ", inverse" : "")", inputs) {
      let results = apply(ActNormMap(isInverse: isInverse), Operands($0[0], $0[1], $0[2]))
      return concatenate([results[0].reshaped(to: [4 * size]), results[1].expanded(axis: 0)], axis: 0)
    }
    #expect(row.checkTangents() == [])
    #expect(row.checkCotangents() == [])
    #expect(row.checkNesting() == [])
    #expect(row.checkSinglePrecision() == [])
    #expect(disagreement(ActNormMap(isInverse: isInverse), inputs) < 1e-13)
  }

  /// Without outputs there is a log-det, and without rows there are neither.
  @Test(arguments: [false, true]) func edges(_ isInverse: Bool) {
    let map = ActNormMap(isInverse: isInverse)
    let slope = gradient(at: wave([3])) { a in
      apply(map, Operands(wave([4, 3]), a, wave([3])))[1]
    }
    #expect(slope.doubles == [Double](repeating: isInverse ? -1 : 1, count: 3))
    #expect(apply(map, Operands(Tensor.zeros([0, 3]), .zeros([3]), .zeros([3])))[0].shape == [0, 3])
  }
}
