import TestSupport
import Testing

@testable import Tensors

/// Fused primitives are their compositions: values, and cotangents of every input.
@Suite struct FusedTests {
  /// The largest difference between a fused primitive and its composition, as a share of the largest value.
  private func disagreement(_ primitive: some FusedPrimitive, _ inputs: [Tensor], constants: Int = 0)
    -> Double
  {
    func operands(_ tensors: [Tensor]) -> Operands {
      var operands = Operands(absent: tensors.count)
      for (i, tensor) in tensors.enumerated() { operands.set(i, to: tensor) }
      return operands
    }
    func relative(_ a: Tensor, _ b: Tensor) -> Double {
      guard a.shape == b.shape else { return .infinity }
      let largest = b.doubles.map { $0.magnitude }.max() ?? 0
      return ((a - b).doubles.map { $0.magnitude }.max() ?? 0) / max(largest, 1)
    }
    func score(_ outputs: Operands) -> Tensor {
      (0..<2).reduce(Tensor(0, dtype: inputs[0].dtype)) { sum, i in
        guard i < outputs.count, let y = outputs.optional(i) else { return sum }
        return sum + (wave(y.shape, dtype: y.dtype) * y).sum()
      }
    }
    let (fused, composed) = (primitive.value(operands(inputs)), primitive.composed(operands(inputs)))
    var worst = (0..<fused.count).map { relative(fused[$0], composed[$0]) }.max() ?? .infinity
    for i in inputs.indices.dropLast(constants) {
      func derivative(_ body: (Operands) -> Operands) -> Tensor {
        gradient(at: inputs[i]) { x in
          var all = inputs
          all[i] = x
          return score(body(operands(all)))
        }
      }
      worst = max(worst, relative(derivative { apply(primitive, $0) }, derivative(primitive.composed)))
    }
    return worst
  }

  /// Sizes within and beyond the blocks of products, and a last panel that is not whole.
  @Test(arguments: [(1, 1, 1), (3, 5, 7), (40, 30, 33), (130, 42, 90), (5, 300, 280), (300, 260, 20)])
  func staircase(_ rows: Int, _ inputs: Int, _ outputs: Int) throws {
    for degrees in [1, 2, 9, 1000] {
      let from = (0..<inputs).map { Double($0 * degrees / inputs) }
      let to = (0..<outputs).map { Double($0 * degrees / outputs) }
      let staircase = try #require(Staircase(from: from, to: to))
      let primitive = StaircaseDense(staircase: staircase, epilogue: .tanh)
      let weight = wave([inputs, outputs], dtype: .float64) / Double(inputs)
      #expect(
        disagreement(
          primitive, [wave([rows, inputs], dtype: .float64), weight, wave([outputs], dtype: .float64)])
          < 1e-13)
    }
  }

  @Test func staircaseMask() throws {
    let staircase = try #require(Staircase(from: [0, 1, 1, 3], to: [0, 2, 3]))
    #expect(
      staircase.mask(dtype: .float32).isIdentical(
        to: Tensor([[1, 1, 1], [0, 1, 1], [0, 1, 1], [0, 0, 1]])))
    // What lies below the stairs is not even read.
    let x = Tensor([[1, 1, 1, 1]])
    let weight = Tensor([[1, 2, 3], [.nan, 4, 5], [.nan, 6, 7], [.nan, .nan, 8]])
    #expect(dense(x, weight, .zeros([3]), .identity, within: staircase).doubles == [1, 12, 23])
    #expect(Staircase(from: [1, 0], to: [0, 1]) == nil)
    #expect(Staircase(from: [0, .nan], to: [0, 1]) == nil)
  }

  /// Units one group after the other have the bits of one product.
  @Test(arguments: [1, 15, 33, 130]) func units(_ rows: Int) {
    let (weight, bias) = (wave([70, 40], dtype: .float32), wave([40], dtype: .float32))
    let x = wave([rows, 70], dtype: .float32)
    var known = Units(70, rows: rows, dtype: .float32)
    known.append(x.transposed()[0..<30])
    known.append(x.transposed()[30..<70])
    #expect(known.matrix.isIdentical(to: x))
    let all = dense(x, weight, bias, .tanh)
    for outputs in [0..<1, 1..<24, 24..<40] {
      let some = known.dense(70, weight, bias, .tanh, outputs: outputs)
      #expect(some.transposed().isIdentical(to: all.sliced(axis: 1, outputs)))
    }
    #expect(
      known.dense(0, weight, bias, .identity, outputs: 3..<5)[1].isIdentical(to: .full([rows], bias[4].item)))
  }

  /// Rows fewer than a vector, no whole number of panels, and more numbers than the kernel takes.
  @Test(arguments: [(1, 1), (5, 2), (17, 3), (40, 17), (70, 33), (3, 260)]) func pluSolves(
    _ rows: Int, _ size: Int
  ) {
    let order = Tensor(ints: Array((1..<size).reversed()) + [0])
    let sign = Tensor((0..<size).map { $0 % 3 == 0 ? -1 : 1 }, dtype: .float64)
    let (factors, y) = (
      wave([size, size], dtype: .float64) / Double(size), wave([rows, size], dtype: .float64)
    )
    let primitive = PLUSolve(order: order)
    func solved(_ form: (Operands) -> Operands) -> [Tensor] {
      let x = form(Operands(factors, sign, y))[0]
      let weight = pluProduct(factors: factors, sign: sign, order: order).weight
      #expect(isClose(matmul(x, weight), y, 1e-12))
      func score(_ factors: Tensor, _ y: Tensor) -> Tensor {
        (wave(y.shape, dtype: .float64) * form(Operands(factors, sign, y))[0]).sum()
      }
      return [x, gradient(at: factors) { score($0, y) }, gradient(at: y) { score(factors, $0) }]
    }
    for (fused, composed) in zip(solved { apply(primitive, $0) }, solved(primitive.composed)) {
      #expect(isClose(fused, composed, 1e-12))
    }
  }

  @Test(arguments: [1, 2, 5, 17]) func pluProducts(_ size: Int) {
    let order = Tensor(ints: Array((1..<size).reversed()) + [0])
    let sign = Tensor((0..<size).map { $0 % 3 == 0 ? -1 : 1 }, dtype: .float64)
    #expect(
      disagreement(PLUProduct(), [wave([size, size], dtype: .float64), sign, order], constants: 2)
        < 1e-13)
  }
}
