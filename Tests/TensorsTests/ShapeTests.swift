import Testing

@testable import Tensors

@Suite struct ShapeTests {
  @Test func literals() {
    let (vector, image, scalar): (Shape, Shape, Shape) = (5, [32, 16, 3], [])
    #expect((vector.sizes, image.sizes, scalar.sizes) == ([5], [32, 16, 3], []))
    #expect((vector.rank, image.rank, scalar.rank) == (1, 3, 0))
    #expect((vector.count, image.count, scalar.count) == (5, 1536, 1))
    #expect(Shape([4, 0, 2]).count == 0)
    #expect(scalar == .scalar)
    #expect(Shape([1, 2, 3, 4, 5, 6]).sizes == [1, 2, 3, 4, 5, 6])
  }

  @Test func equalShapesAreEqual() {
    #expect(Shape([5]) == 5)
    #expect(Shape([5]) != [5, 1])
    #expect(Shape([]) != [0])
    #expect(Shape([0]) != [0, 0])
    #expect(Set<Shape>([5, [5], [5, 1], [1, 5]]).count == 3)
  }

  @Test func negativeAxesCountFromTheEnd() {
    var shape: Shape = [2, 3, 4]
    #expect((-3..<3).map { shape[$0] } == [2, 3, 4, 2, 3, 4])
    #expect(shape.resolved(-1) == 2)
    shape[-2] = 7
    #expect(shape == [2, 7, 4])
  }

  @Test func description() {
    #expect("\(Shape([256, 5]))" == "[256, 5]")
    #expect("\(Shape.scalar)" == "[]")
    #expect("\(5 as Shape)" == "[5]")
  }

  @Test func derivedShapes() {
    let shape: Shape = [2, 3, 4]
    #expect(shape.batched(9) == [9, 2, 3, 4])
    #expect(Shape.scalar.batched(9) == 9)
    #expect(shape.sample == [3, 4])
    #expect(Shape(5).sample == .scalar)
    #expect(
      (0...3).map { shape.inserting(1, at: $0) } == [
        [1, 2, 3, 4], [2, 1, 3, 4], [2, 3, 1, 4], [2, 3, 4, 1],
      ])
    #expect(shape.inserting(1, at: -1) == [2, 3, 4, 1])
    #expect(shape.removing(-2) == [2, 4])
    #expect(shape.replacing(-1, by: 9) == [2, 3, 9])
    #expect(shape.strides == [12, 4, 1, 0, 0, 0, 0, 0])
    #expect(Shape.scalar.strides == .zero)
    #expect(shape.suffix(from: 1) == [3, 4])
    #expect(shape.suffix(from: 3) == .scalar)
    #expect(shape.count(of: 1..<3) == 12)
    #expect(shape.count(of: 1..<1) == 1)
  }

  static let broadcasts: [(Shape, Shape, Shape?)] = [
    ([], [], []), ([], 3, 3), (3, 1, 3), ([2, 3], 3, [2, 3]), ([2, 1], [1, 3], [2, 3]), ([2, 1], 3, [2, 3]),
    ([4, 1, 5], [3, 1], [4, 3, 5]), ([0], [1], [0]), ([0, 3], [3], [0, 3]), ([0, 3], [1, 1], [0, 3]),
    ([1, 1, 1], [], [1, 1, 1]), ([2], [3], nil), ([2, 3], [2], nil), ([0], [2], nil),
    ([2, 3, 4], [3, 3, 4], nil),
    ([6, 5, 4, 3, 2, 1], [1, 2, 7], [6, 5, 4, 3, 2, 7]),
  ]

  @Test(arguments: broadcasts.indices) func broadcasting(_ index: Int) {
    let (a, b, expected) = Self.broadcasts[index]
    #expect(Shape.broadcast(a, b) == expected)
    #expect(Shape.broadcast(b, a) == expected)
  }

  @Test func sevenAxes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Shape([1, 2, 3, 4, 5, 6, 7])
    }
    #expect(text(result).contains("a shape has at most 6 axes, got [1, 2, 3, 4, 5, 6, 7]"))
  }

  @Test func axisThatDoesNotExist() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 3]).sum(axis: 2)
    }
    #expect(text(result).contains("axis 2 does not exist in shape [2, 3]"))
  }
}

/// What a process that ended wrote to standard error.
func text(_ result: ExitTest.Result?) -> String {
  String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}
