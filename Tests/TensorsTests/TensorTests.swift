import Tensors
import TestSupport
import Testing

/// Values, indexing, and what moves elements without changing them.
@Suite struct TensorTests {
  // MARK: - Values

  @Test func creation() {
    #expect(Tensor([1, 2, 3]).shape == 3)
    #expect(Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]).isIdentical(to: Tensor([[1, 2, 3], [4, 5, 6]])))
    #expect(Tensor([[Double]]()).shape == [0, 0])
    #expect(Tensor([[], []] as [[Double]]).shape == [2, 0])
    #expect(Tensor(4).shape == .scalar && Tensor(4).item == 4)
    #expect(Tensor(floats: [1, 2], shape: 2).dtype == .float32)
    #expect(Tensor(doubles: [1, 2], shape: 2).dtype == .float64)
    #expect(Tensor(ints: [1, 2]).dtype == .int32)
    #expect(Tensor(floats: [], shape: 0).count == 0)
    #expect(Tensor.full([2, 2], 7, dtype: .int32).ints == [7, 7, 7, 7])
    #expect(Tensor.zeros([2]).isIdentical(to: Tensor([0, 0])))
    #expect(Tensor.ones([2], dtype: .float64).isIdentical(to: Tensor([1, 1], dtype: .float64)))
    #expect(Tensor.identity(2).isIdentical(to: Tensor([[1, 0], [0, 1]])))
    let filled = Tensor(shape: 3) { for i in 0..<3 { $0[i] = Double(i) / 2 } }
    #expect(filled.isIdentical(to: Tensor([0, 0.5, 1], dtype: .float64)))
  }

  @Test func conversions() {
    #expect(Tensor([0.1]).doubles == [Double(Float(0.1))])
    #expect(Tensor([0.1], dtype: .float64).doubles == [0.1])
    #expect(Tensor([0.1], dtype: .float64).floats == [0.1])
    #expect(Tensor(ints: [-3, 4]).doubles == [-3, 4])
    #expect(Tensor([1e300], dtype: .float64).cast(to: .float32).item == .infinity)
    #expect(Tensor([1.5, 2]).cast(to: .float64).isIdentical(to: Tensor([1.5, 2], dtype: .float64)))
    #expect(Tensor([1, 2]).withElements(as: Float.self) { $0.reduce(0, +) } == 3)
  }

  @Test func finiteness() {
    for dtype in [DType.float32, .float64] {
      #expect(Tensor([1, 2], dtype: dtype).isFinite)
      #expect(Tensor([1, .nan, .infinity], dtype: dtype).firstNonFinite == 1)
      #expect(Tensor([[1, 2], [3, -.infinity]], dtype: dtype).firstNonFinite == 3)
      #expect(Tensor.zeros(0, dtype: dtype).isFinite)
    }
    #expect(Tensor(ints: [1]).isFinite)
  }

  @Test func identityIsBitForBit() {
    #expect(Tensor([.nan]).isIdentical(to: Tensor([.nan])))
    #expect(!Tensor([0.0]).isIdentical(to: Tensor([-0.0])))
    #expect(!Tensor([1, 2]).isIdentical(to: Tensor([[1, 2]])))
    #expect(!Tensor([1]).isIdentical(to: Tensor([1], dtype: .float64)))
    #expect(Tensor.zeros([0, 3]).isIdentical(to: .zeros([0, 3])))
    #expect(!Tensor.zeros([0, 3]).isIdentical(to: .zeros([3, 0])))
  }

  // MARK: - Indexing

  @Test(arguments: [DType.float32, .float64, .int32]) func indexing(_ dtype: DType) {
    let x = Tensor((0..<24).map(Double.init), shape: [4, 3, 2], dtype: dtype)
    #expect(x[2].shape == [3, 2])
    #expect(x[2].doubles == [12, 13, 14, 15, 16, 17])
    #expect(x[2][1][0].item == 14)
    #expect(x[1..<3].shape == [2, 3, 2])
    #expect(x[1..<3].doubles == (6..<18).map(Double.init))
    #expect(x[4..<4].shape == [0, 3, 2])
    #expect(x[0..<4].isIdentical(to: x))
    #expect(x[1..<4][1..<3][0].isIdentical(to: x[2]))  // a view of a view
    #expect(x.rows([3, 0, 3]).doubles == [18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 18, 19, 20, 21, 22, 23])
    #expect(x.rows([]).shape == [0, 3, 2])
    #expect(x.gathered(Tensor(ints: [1, 1, 0]), axis: -1).shape == [4, 3, 3])
    #expect(x.gathered(Tensor(ints: [2]), axis: 1).doubles == [4, 5, 10, 11, 16, 17, 22, 23])
  }

  @Test func viewsOutliveTheirOwner() {
    var views: [Tensor] = []
    do {
      let owner = wave([100, 10])
      views = [owner[7], owner[20..<30], owner.reshaped(to: [10, 100])[3][5..<9]]
    }
    let again = wave([100, 10])
    for _ in 0..<50 { _ = Tensor.full([100, 10], 9, dtype: .float64) }  // would reuse the memory
    #expect(views[0].isIdentical(to: again[7]))
    #expect(views[1].isIdentical(to: again[20..<30]))
    #expect(views[2].isIdentical(to: again.reshaped(to: [1000])[305..<309]))
  }

  // MARK: - Copies by strides

  private static let shapes: [Shape] = [
    [], 1, 7, 0, [3, 4], [1, 5], [5, 1], [2, 3, 4], [3, 1, 2], [2, 0, 3], [2, 3, 1, 4], [1, 2, 1, 3, 1, 2],
    [33, 17],
  ]

  private static func permutations(_ count: Int) -> [[Int]] {
    if count == 0 { return [[]] }
    return permutations(count - 1).flatMap { shorter in
      (0..<count).map { place in
        var longer = shorter
        longer.insert(count - 1, at: place)
        return longer
      }
    }
  }

  @Test(arguments: shapes, [DType.float32, .float64, .int32]) func axesInEveryOrder(
    _ shape: Shape, _ dtype: DType
  ) {
    let x = Tensor((0..<shape.count).map(Double.init), shape: shape, dtype: dtype)
    let values = x.doubles
    for axes in Self.permutations(shape.rank) where shape.rank < 6 || axes[0] == 3 {
      let y = x.permuted(axes: axes)
      let expected = naive(Shape(axes.map { shape[$0] }), dtype: dtype) { index in
        var source = index
        for (to, from) in axes.enumerated() { source[from] = index[to] }
        return values[offset(source, in: shape)]
      }
      #expect(y.isIdentical(to: expected), "\(axes)")
    }
  }

  @Test(arguments: shapes, [DType.float32, .float64, .int32]) func flipsAndSlices(
    _ shape: Shape, _ dtype: DType
  ) {
    let x = Tensor((0..<shape.count).map(Double.init), shape: shape, dtype: dtype)
    let values = x.doubles
    for axis in 0..<shape.rank {
      let size = shape[axis]
      let flipped = naive(shape, dtype: dtype) { index in
        var source = index
        source[axis] = size - 1 - index[axis]
        return values[offset(source, in: shape)]
      }
      #expect(x.flipped(axis: axis).isIdentical(to: flipped), "flip \(axis)")
      #expect(x.flipped(axis: axis - shape.rank).isIdentical(to: flipped), "flip \(axis) from the end")
      for (range, step) in [(0..<size, 1), (0..<size, 2), (size / 3..<size, 3), (size / 2..<size / 2, 1)] {
        let length = (range.count + step - 1) / step
        let expected = naive(shape.replacing(axis, by: length), dtype: dtype) { index in
          var source = index
          source[axis] = range.lowerBound + index[axis] * step
          return values[offset(source, in: shape)]
        }
        #expect(
          x.sliced(axis: axis, range, step: step).isIdentical(to: expected),
          "axis \(axis) \(range) by \(step)")
      }
    }
  }

  @Test func joiningUndoesCutting() {
    let x = wave([3, 7, 2])
    for axis in 0..<3 {
      for count in 1...7 where count <= x.shape[axis] {
        let cuts = (0...count).map { $0 * x.shape[axis] / count }
        let parts = zip(cuts, cuts.dropFirst()).map { x.sliced(axis: axis, $0..<$1) }
        #expect(concatenate(parts, axis: axis).isIdentical(to: x))
        #expect(concatenate(parts, axis: axis - 3).isIdentical(to: x))
      }
    }
    let empty = Tensor.zeros([3, 0, 2], dtype: .float64)
    #expect(concatenate([empty, x, empty], axis: 1).isIdentical(to: x))
    #expect(stack([x[0], x[1], x[2]]).isIdentical(to: x))
    #expect(stack([x, x], axis: -1).shape == [3, 7, 2, 2])
    #expect(stack([Tensor(1), Tensor(2)]).isIdentical(to: Tensor([1, 2])))
  }

  @Test func reshapes() {
    let x = wave([2, 6])
    #expect(x.reshaped(to: [3, 4]).doubles == x.doubles)
    #expect(x.expanded(axis: -1).shape == [2, 6, 1])
    #expect(x.expanded(axis: 0).shape == [1, 2, 6])
    #expect(Tensor(3).reshaped(to: [1, 1]).shape == [1, 1])
    #expect(Tensor.zeros([0, 5]).reshaped(to: [7, 0]).shape == [7, 0])
    #expect(wave([2, 3, 4]).transposed().shape == [2, 4, 3])
  }

}
