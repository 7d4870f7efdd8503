import TestSupport
import Testing

@testable import Tensors

@Suite struct BroadcastingTests {
  /// Pairs of shapes that broadcast, short and long rows, repeated in front, in the middle and behind, with
  /// nothing in them.
  private static let pairs: [(Shape, Shape)] = [
    ([], []), ([], 3), (3, []), (3, 1), (1, 3), ([1, 1], 3), ([2, 3], 3), ([2, 3], [2, 1]),
    ([2, 1], [1, 3]), ([2, 1], 3),
    ([2, 1, 4], [3, 1]), ([2, 3, 4], [1, 3, 1]), ([2, 3, 4], [2, 1, 1]), ([1, 3, 1], [2, 1, 4]),
    ([1, 1, 1, 2], [3, 1]),
    ([4, 20], 20), ([4, 20], [4, 1]), ([4, 1], 20), ([3, 1, 17], [2, 1]), ([2, 3, 33], [3, 33]),
    ([2, 1, 33], [3, 1]),
    ([2, 1, 3, 1, 18], [4, 1, 2, 1]), ([1, 2, 1, 2, 1, 2], [2, 1, 2, 1, 2, 1]), ([5, 64], [1, 64]),
    ([5, 64], [1, 1]),
    ([0], [1]), ([0, 3], 3), ([3, 0], [3, 1]), ([0, 20], 20), ([2, 0, 20], [1, 20]), ([1, 0], [5, 1]),
    ([20, 1], [1, 0]),
    ([1], []), ([1, 1], [1]),
  ]

  private typealias Function = (
    name: String, tensors: @Sendable (Tensor, Tensor) -> Tensor, numbers: @Sendable (Double, Double) -> Double
  )

  private static let functions: [Function] = [
    ("+", { $0 + $1 }, { $0 + $1 }), ("-", { $0 - $1 }, { $0 - $1 }), ("*", { $0 * $1 }, { $0 * $1 }),
    ("/", { $0 / $1 }, { $0 / $1 }), (".<", { $0 .< $1 }, { $0 < $1 ? 1 : 0 }),
    ("maximum", { maximum($0, $1) }, { max($0, $1) }),
  ]

  @Test(arguments: pairs.indices, [DType.float32, .float64]) func broadcasting(_ pair: Int, _ dtype: DType) {
    let (shapeA, shapeB) = Self.pairs[pair]
    let (a, b) = (wave(shapeA, phase: 1, dtype: dtype), wave(shapeB, phase: 2, dtype: dtype))
    let shape = Shape.broadcast(shapeA, shapeB)!
    for (name, function, element) in Self.functions {
      for (x, y) in [(a, b), (b, a)] {
        // One rounding from exact operands: float32 results are the rounded float64 ones.
        let (xs, ys) = (x.elements, y.elements)
        let expected = naive(shape, dtype: dtype) { element(xs($0), ys($0)) }
        #expect(function(x, y).isIdentical(to: expected), "\(x.shape) \(name) \(y.shape)")
      }
    }
    for x in [a, b] {
      let expected = naive(shape, dtype: dtype, x.elements)
      #expect(x.broadcast(to: shape).isIdentical(to: expected))
      // The adjoint: <broadcast(x), g> = <x, summed(g)>.
      let g = wave(shape, phase: 4, dtype: dtype)
      #expect(g.summed(to: x.shape).shape == x.shape)
      #expect(isClose((x.broadcast(to: shape) * g).sum(), (x * g.summed(to: x.shape)).sum(), 1e-4))
    }
    let mask = a .> 0
    let (masks, left, right) = (mask.elements, a.elements, b.elements)
    let picked = naive(shape, dtype: dtype) { masks($0) != 0 ? left($0) : right($0) }
    #expect(select(where: mask, a, b).isIdentical(to: picked))
    #expect(
      select(where: mask, a, 7).isIdentical(to: naive(shapeA, dtype: dtype) { masks($0) != 0 ? left($0) : 7 })
    )
  }

  @Test func comparisons() {
    let (a, b) = (Tensor([1, 2, 3, .nan]), Tensor([2, 2, 2, 2]))
    #expect((a .< b).doubles == [1, 0, 0, 0])
    #expect((a .<= b).doubles == [1, 1, 0, 0])
    #expect((a .> b).doubles == [0, 0, 1, 0])
    #expect((a .>= b).doubles == [0, 1, 1, 0])
    #expect((a .== b).doubles == [0, 1, 0, 0])
    #expect((a .!= b).doubles == [1, 0, 1, 1])
    #expect((a .< 2).doubles == [1, 0, 0, 0])
    #expect((a .>= 2).doubles == [0, 1, 1, 0])
  }

  @Test(arguments: [DType.float32, .float64]) func numbersTakeTheDTypeBesideThem(_ dtype: DType) {
    let x = Tensor([1, 2], dtype: dtype)
    for y in [
      x + 0.1, 0.1 + x, x - 0.1, 0.1 - x, x * 0.1, 0.1 * x, x / 0.1, 0.1 / x, x .< 0.1, pow(x, 0.1),
      maximum(x, 0.1),
    ] {
      #expect(y.dtype == dtype)
    }
    #expect((0.1 / x).isIdentical(to: Tensor([0.1], dtype: dtype) / x))
  }

  // MARK: - Misuse that is wrong in the source code

  @Test func shapesThatDoNotBroadcast() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones([4, 2]) + Tensor.ones([3])
    }
    #expect(text(result).contains("shapes [4, 2] and [3] do not broadcast"))
  }

  @Test func mixedDTypes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones([2]) * Tensor.ones([2], dtype: .float64)
    }
    #expect(text(result).contains("operands have dtypes float32 and float64"))
  }

  @Test func arithmeticOnIndices() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor(ints: [1, 2]) + Tensor(ints: [1, 2])
    }
    #expect(text(result).contains("int32 tensors are indices: no arithmetic"))
  }

  @Test func indexOutsideAnAxis() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones([4, 2]).rows([0, 4])
    }
    #expect(text(result).contains("an index lies outside axis 0 of shape [4, 2]"))
  }
}
