import Randomness
import TestSupport
import Tensors
import Testing

@testable import Bijections

/// Row-wise functions that run a few rows at a time are those that run at once.
@Suite struct RowPiecesTests {
  private let x = wave([10, 4])
  private let scale = wave([10, 1], phase: 2)
  private let weight = wave([4, 3], phase: 1)

  private func norms(_ rows: ArraySlice<Tensor>, _ others: ArraySlice<Tensor>) -> Tensor {
    let (x, scale) = (rows[rows.startIndex], rows[rows.startIndex + 1])
    return square(matmul(tanh(x) * scale, others[others.startIndex])).sumPerRow()
  }

  private func pieces(_ x: Tensor, _ scale: Tensor, _ weight: Tensor, of size: Int = 4) -> Tensor {
    inPieces([x, scale], [weight], of: size, norms)
  }

  /// A function of one tensor per input of the pieces, and the place of that input.
  private func function(_ place: Int, of size: Int) -> (Tensor) -> Tensor {
    { tensor in
      var all = [x, scale, weight]
      all[place] = tensor
      return pieces(all[0], all[1], all[2], of: size)
    }
  }

  @Test(arguments: [1, 3, 4, 9, 10, 50]) func valuesHaveTheSameBits(_ size: Int) {
    #expect(pieces(x, scale, weight, of: size).isIdentical(to: norms([x, scale], [weight])))
  }

  /// Gradients by rows keep their bits. Those by the others are sums in another order.
  @Test(arguments: [0, 1, 2]) func gradientsAreThoseOfTheWhole(_ place: Int) {
    let point = [x, scale, weight][place]
    let g = wave([10], phase: 3)
    let (value, pullback) = vjp(at: point, function(place, of: 4))
    let (_, whole) = vjp(at: point, function(place, of: 10))
    #expect(value.isIdentical(to: pieces(x, scale, weight)))
    #expect(isClose(pullback(g), whole(g), 1e-13))
    if place < 2 { #expect(pullback(g).isIdentical(to: whole(g))) }
    #expect(pullback(g).isIdentical(to: pullback(g)), "a pullback serves twice")
  }

  @Test(arguments: [0, 1, 2]) func tangentsAndSecondDerivativesFollow(_ place: Int) {
    let point = [x, scale, weight][place]
    let direction = wave(point.shape, phase: 5)
    for isSecond in [false, true] {
      let results = [4, 10].map { size in
        jvp(at: point, along: direction) { tensor in
          let f = function(place, of: size)
          return isSecond ? gradient(at: tensor) { f($0).sum() } : f(tensor)
        }.tangent
      }
      #expect(isClose(results[0], results[1], 1e-13))
    }
  }

  /// A potential whose Jacobians take several pieces has the trace of Jacobian-vector products, and rows that
  /// do not depend on each other.
  @Test func aPotentialInPieces() throws {
    let (size, width) = (60, 40)
    let site = Site(inputDim: [size], dtype: .float64)
    let (params, velocity) = try OTFlowPotential(width: width, layers: 3).initialize(Key(1), at: site)
    let (x, time) = (wave([90, size], phase: 4), Tensor(0.3, dtype: .float64))
    #expect(90 * size * width > 200_000)
    let trace = velocity.traced(params, x, time, nil).trace
    let byProducts = Velocity(velocity.function).traced(params, x[80..<82], time, nil).trace
    #expect(isClose(trace[80..<82], byProducts, 1e-11))
    for row in [0, 41, 89] {
      let alone = velocity.traced(params, x[row..<row + 1], time, nil).trace
      #expect(alone.isIdentical(to: trace[row..<row + 1]))
    }
  }
}
