import Tensors
import TestSupport
import Testing

@Suite struct ReductionTests {
  @Test(
    arguments: [[7], [3, 5], [5, 1], [1, 5], [2, 3, 4], [4, 1, 3], [2, 20, 3], [40, 3]],
    [DType.float32, .float64])
  func reductions(_ sizes: [Int], _ dtype: DType) {
    let shape = Shape(sizes)
    let x = wave(shape, phase: 0.3, dtype: dtype)
    let values = x.doubles
    let tolerance = 20 * dtype.epsilon * 10
    #expect(isClose(x.sum(), Tensor(x.doubles.reduce(0, +), dtype: dtype), tolerance))
    #expect(isClose(x.mean(), Tensor(x.doubles.reduce(0, +) / Double(x.count), dtype: dtype), tolerance))
    #expect(x.max().item == values.max() && x.max().shape == .scalar)
    #expect(x.min().item == values.min() && x.min().shape == .scalar)
    let far = x - x.mean()
    #expect(isClose(x.standardDeviation(), sqrt((far * far).mean()), tolerance))
    for axis in 0..<shape.rank {
      func reduced(_ combine: ([Double]) -> Double) -> Tensor {
        naive(shape.removing(axis), dtype: dtype) { index in
          combine(
            (0..<shape[axis]).map { i in
              var full = index
              full.insert(i, at: axis)
              return values[offset(full, in: shape)]
            })
        }
      }
      let exponential = { (v: Double) in exp(Tensor(v, dtype: .float64)).item }
      let logarithm = { (v: Double) in log(Tensor(v, dtype: .float64)).item }
      #expect(isClose(x.sum(axis: axis), reduced { $0.reduce(0, +) }, tolerance))
      #expect(isClose(x.mean(axis: axis), reduced { $0.reduce(0, +) / Double($0.count) }, tolerance))
      #expect(x.max(axis: axis).isIdentical(to: reduced { $0.max()! }))
      #expect(x.min(axis: axis).isIdentical(to: reduced { $0.min()! }))
      #expect(
        isClose(x.logSumExp(axis: axis), reduced { logarithm($0.map(exponential).reduce(0, +)) }, tolerance))
      #expect(
        isClose(x.softmax(axis: axis).sum(axis: axis), .ones(shape.removing(axis), dtype: dtype), tolerance))
      #expect(x.sum(axis: axis - shape.rank).isIdentical(to: x.sum(axis: axis)))
      #expect(x.sum(axis: axis, keepDims: true).shape == shape.replacing(axis, by: 1))
      let running = x.cumulativeSum(axis: axis)
      let expected = naive(shape, dtype: dtype) { index in
        (0...index[axis]).reduce(0.0) { sum, i in
          var source = index
          source[axis] = i
          return sum + values[offset(source, in: shape)]
        }
      }
      #expect(isClose(running, expected, tolerance * Double(shape[axis])))
    }
  }

  @Test func sumsPerRow() {
    #expect(wave([4, 2, 3]).sumPerRow().shape == 4)
    #expect(isClose(wave([4, 2, 3]).sumPerRow(), wave([4, 6]).sum(axis: 1), 1e-15))
    #expect(Tensor([1, 2]).sumPerRow().isIdentical(to: Tensor([1, 2])))
  }

  @Test(arguments: [DType.float32, .float64]) func nothingAtAll(_ dtype: DType) {
    let (wide, tall) = (Tensor.zeros([0, 3], dtype: dtype), Tensor.zeros([3, 0], dtype: dtype))
    func full(_ shape: Shape, _ value: Double) -> Tensor { .full(shape, value, dtype: dtype) }
    #expect(wide.sum().isIdentical(to: full([], 0)))
    #expect(wide.mean().item.isNaN)
    #expect(wide.sum(axis: 0).isIdentical(to: full(3, 0)))
    #expect(wide.sum(axis: 1).shape == 0)
    #expect(wide.mean(axis: 0).doubles.allSatisfy { $0.isNaN })
    #expect(wide.mean(axis: 1).shape == 0)
    #expect(wide.max(axis: 1).shape == 0)
    #expect(wide.max(axis: 0).isIdentical(to: full(3, -.infinity)))
    #expect(wide.min(axis: 0).isIdentical(to: full(3, .infinity)))
    #expect(tall.max(axis: 1).isIdentical(to: full(3, -.infinity)))
    #expect(wide.logSumExp(axis: 0).isIdentical(to: full(3, -.infinity)))
    #expect(tall.logSumExp(axis: 1).isIdentical(to: full(3, -.infinity)))
    #expect(wide.sumPerRow().shape == 0)
    #expect(tall.sumPerRow().isIdentical(to: full(3, 0)))
    for axis in 0..<2 {
      for x in [wide, tall] {
        #expect(x.softmax(axis: axis).shape == x.shape)
        #expect(x.logSoftmax(axis: axis).shape == x.shape)
        #expect(x.cumulativeSum(axis: axis).shape == x.shape)
        #expect(x.flipped(axis: axis).shape == x.shape)
      }
    }
    #expect(exp(wide).shape == [0, 3])
    #expect((wide + 1).shape == [0, 3])
    #expect(wide.transposed().isIdentical(to: tall))
    #expect(gradient(at: wide) { exp($0).sum() }.shape == [0, 3])
  }

  @Test func extremesOfReductions() {
    let x = Tensor(
      [[-.infinity, -.infinity], [1, -.infinity], [.infinity, 0], [1000, 1000]], dtype: .float64)
    let result = x.logSumExp(axis: 1).doubles
    #expect(result[0] == -.infinity)
    #expect(result[1] == 1)
    #expect(result[2] == .infinity)
    #expect(abs(result[3] - 1000.6931471805599) < 1e-12)
    #expect(Tensor([1, .nan, 3]).max(axis: 0).item.isNaN)
    #expect(Tensor([1, .nan, 3]).sum().item.isNaN)
    #expect(Tensor([1000, 0]).softmax(axis: 0).doubles == [1, 0])
  }

  /// A row's sum has the same bits in a batch of any size.
  @Test func rowsAreSummedAlike() {
    let x = wave([50, 37], dtype: .float32)
    let sums = x.sum(axis: 1)
    for i in 0..<50 { #expect(x[i..<i + 1].sum(axis: 1).isIdentical(to: sums[i..<i + 1])) }
  }
}
