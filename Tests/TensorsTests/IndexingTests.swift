import Tensors
import TestSupport
import Testing

/// Literals and subscripts, as NumPy has them.
@Suite struct IndexingTests {
  private let x = Tensor((0..<24).map(Double.init), shape: [2, 3, 4])

  @Test func nestedLiterals() {
    let matrix: Tensor = [[1, 2.5], [-3, 4]]
    #expect(matrix.isIdentical(to: Tensor([[1, 2.5], [-3, 4]])))
    let cube: Tensor = [[[1, 2, 3], [4, 5, 6]]]
    #expect(cube.isIdentical(to: Tensor([1, 2, 3, 4, 5, 6], shape: [1, 2, 3])))
    #expect(([] as Tensor).shape == [0])
    #expect(([[], []] as Tensor).shape == [2, 0])
    #expect(Tensor(literal: [0.1], dtype: .float64).doubles == [0.1])
    #expect(Tensor(literal: 7).shape == .scalar)
  }

  @Test func raggedLiteralsAreRefused() async {
    await #expect(processExitsWith: .failure) { _ = [[1, 2], [3]] as Tensor }
  }

  /// Right values by numpy: x = np.arange(24).reshape(2, 3, 4).
  @Test func subscripts() {
    func expect(_ part: Tensor, _ values: [Double], _ shape: Shape) {
      #expect(part.doubles == values && part.shape == shape)
    }
    expect(x[1, 2, 3], [23], .scalar)
    expect(x[-1, 0], [12, 13, 14, 15], [4])
    expect(x[0..., 1, -1], [7, 19], [2])
    expect(x[..<1, 1..., ...1], [4, 5, 8, 9], [1, 2, 2])
    expect(x[0, 0..., 1...2], [1, 2, 5, 6, 9, 10], [3, 2])
    expect(x[-1][-1], [20, 21, 22, 23], [4])
    expect(x[1...], Array(12..<24).map(Double.init), [1, 3, 4])
    expect(x[0..., 0..., 3..<3], [], [2, 3, 0])
  }

  @Test func indicesOutsideAreRefused() async {
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([2, 3])[0..., 3] }
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([2, 3])[0, 0, 0] }
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([2, 3])[0, -4] }
  }

  @Test func derivativeOfAColumn() throws {
    let (_, gradient) = valueAndGradient(at: Tensor([[1, 2], [3, 4]])) { square($0[0..., 1]).sum() }
    #expect(gradient.doubles == [0, 4, 0, 8])
  }

  @Test func standardDeviation() {
    let y = Tensor([[1, 2], [3, 6]])
    #expect(y.standardDeviation(axis: 0).doubles == [1, 2])
    #expect(y.standardDeviation(axis: 1, keepDims: true).shape == [2, 1])
  }
}
