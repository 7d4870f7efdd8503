import Bijections
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// Values that other implementations give. Made by Tests/Fixtures/make_transformers.py.
private struct Reference: Decodable, Sendable, CustomTestStringConvertible {
  let name: String
  let source: String
  let bins: Int
  let bound: Double
  let columns: Int
  let layers: Int?
  let raw: [Double]
  let x: [Double]
  let y: [Double]
  let logSlope: [Double]

  var testDescription: String { "\(name), \(bins), \(source)" }

  var transformer: any Transformer {
    switch name {
    case "rationalQuadratic": RationalQuadraticSpline(bins: bins, bound: bound)
    case "circular": CircularRationalQuadraticSpline(bins: bins, bound: bound)
    case "linear": LinearSpline(bins: bins, bound: bound)
    case "quadratic": QuadraticSpline(bins: bins, bound: bound)
    case "cubic": CubicSpline(bins: bins, bound: bound)
    case "mixture": MixtureOfLogistics(components: bins)
    case "sigmoidal": DeepSigmoidal(units: bins, layers: layers ?? 1)
    case "bernstein": BernsteinPolynomial(degree: bins, bound: bound)
    case "linearRational": LinearRationalSpline(bins: bins, bound: bound)
    case "sumOfSquares": SumOfSquares(polynomials: 1, degree: bins)
    default: VolumePreservingAffine()
    }
  }

  static let all: [Reference] = {
    struct File: Decodable { let cases: [Reference] }
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/transformers.json")
    guard let data = try? Data(contentsOf: path), let file = try? JSONDecoder().decode(File.self, from: data)
    else {
      fatalError("cannot read \(path)")
    }
    return file.cases
  }()
}

@Suite struct TransformerTests {
  @Test(arguments: Reference.all) private func agreesWithAnotherImplementation(_ reference: Reference) {
    let rows = reference.logSlope.count
    func column(_ values: [Double]) -> Tensor {
      Tensor(values, shape: [rows, values.count / rows], dtype: .float64)
    }
    let (x, y, raw) = (column(reference.x), column(reference.y), column(reference.raw))
    let logDet = Tensor(reference.logSlope, dtype: .float64)
    let transformer = reference.transformer

    let there = transformer.forward(x, raw)
    #expect(isClose(there.outputs, y, 1e-9))
    #expect(isClose(there.logDet, logDet, 1e-9))
    // Where the slope is small, a rounding of y is a large step in x: compare images.
    let back = transformer.inverse(y, raw)
    #expect(isClose(transformer.forward(back.outputs, raw).outputs, y, 1e-9))
    #expect(isClose(back.logDet, -logDet, 1e-6))
  }

  @Test func everyTransformerHasReferencesOrIsTrivial() {
    let names = Set(Reference.all.map { $0.transformer.name })
    #expect(Set(transformerTable.map(\.name)).subtracting(names) == ["Affine", "Shift", "GatedAffine"])
  }

  @Test(arguments: transformerTable.indices) func rawZerosAreNearTheIdentity(_ i: Int) {
    let transformer = transformerTable[i]
    let x = Tensor([[-5, -2.9, -1, -0.1, 0, 0.3, 1.7, 2.9, 4]], dtype: .float64)
    let raw = Tensor.zeros([1, 9 * transformer.parameterCount], dtype: .float64)
    let far = ["MixtureOfLogistics": 0.35, "DeepSigmoidal": 0.35, "GatedAffine": 0.6]
    let tolerance = far[transformer.name] ?? 2.1e-3
    #expect(isClose(transformer.forward(x, raw).outputs, x, tolerance))
  }

  @Test(arguments: transformerTable.indices) func numbersKeepTheirOwnParameters(_ i: Int) {
    let transformer = transformerTable[i]
    if !transformer.isElementwise { return }
    let count = transformer.parameterCount
    let x = wave([1, 3], phase: 1)
    let raw = wave([1, 3 * count], phase: 2)
    let whole = transformer.forward(x, raw)
    var total = Tensor.zeros([1], dtype: .float64)
    for number in 0..<3 {
      let places = (0..<count).map {
        transformer.parameterOrder == .byNumber ? number * count + $0 : $0 * 3 + number
      }
      let alone = transformer.forward(
        x.sliced(axis: 1, number..<number + 1), raw.gathered(Tensor(ints: places)))
      #expect(isClose(alone.outputs[0], whole.outputs[0][number..<number + 1], 1e-14))
      total = total + alone.logDet
    }
    #expect(isClose(total, whole.logDet, 1e-13))
  }

  @Test(arguments: [DType.float32, .float64]) func mixturesStayFiniteFarOut(_ dtype: DType) {
    for transformer in [MixtureOfLogistics(components: 3), DeepSigmoidal(units: 3, layers: 2)]
      as [any Transformer]
    {
      let x = Tensor([-1e4, -300, -1, 0, 2, 90, 1e4], shape: [7, 1], dtype: dtype)
      for size in [1.0, 20, 300] {
        let raw = size * wave([7, transformer.parameterCount], phase: 3, dtype: dtype)
        let there = transformer.forward(x, raw)
        let back = transformer.inverse(there.outputs, raw)
        #expect(
          there.outputs.isFinite && there.logDet.isFinite && back.outputs.isFinite && back.logDet.isFinite)
        let again = transformer.forward(back.outputs, raw).outputs
        #expect(isClose(again, there.outputs, dtype == .float32 ? 2e-5 : 1e-12))
        let gradient = gradient(at: raw) { raw in
          let (y, logDet) = transformer.forward(x, raw)
          return y.sum() + logDet.sum()
        }
        #expect(gradient.isFinite)
      }
    }
  }
}

@Suite struct SplitTests {
  private func passing(_ split: Split, _ inputDim: Shape, key: Key = Key(3)) throws -> [Bool] {
    let net = Shifting()
    let (params, forward, _) = try AdditiveCoupling(net, split: split)(key, inputDim: inputDim)
    return try forward(params, .zeros(inputDim.batched(1))).outputs.doubles.map { $0 == 0 }
  }

  /// A network whose every output is 1.
  private struct Shifting: Network {
    func initialize(
      _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
    ) throws(FlowError) -> (params: Params, apply: Apply) {
      (.empty, { _, x in .ones(outputDim.batched(x.rows), dtype: x.dtype) })
    }
  }

  @Test func partsThatPass() throws {
    #expect(try passing(.firstHalf, 5) == [true, true, false, false, false])
    #expect(try passing(.firstHalf.swapped, 5) == [false, false, true, true, true])
    #expect(try passing(.alternating, 5) == [true, false, true, false, true])
    #expect(try passing(.alternating.swapped, 5) == [false, true, false, true, false])
    #expect(try passing(.mask([false, true, true]), 3) == [false, true, true])
    #expect(try passing(.mask([false, true, true]).swapped, 3) == [true, false, false])
    #expect(
      try passing(.checkerboard, [2, 3, 2]) == [true, false, true, false, true, false].flatMap { [$0, $0] })
    #expect(
      try passing(.checkerboard.swapped, [2, 2, 1]) == [false, true, true, false])
    #expect(try passing(.mask([true, false]), [2, 1, 2]) == [true, false, true, false])
    #expect(try passing(.mask([true, true, false, true]), [2, 1, 2]) == [true, true, false, true])
    for split in [
      Split.firstHalf, .alternating, .random, .firstHalf.swapped, .alternating.swapped, .random.swapped,
    ] {
      #expect(try passing(split, 1) == [false])
    }
  }

  @Test func randomSplitsComeFromTheKey() throws {
    let first = try passing(.random, 20)
    #expect(first.count { $0 } == 10)
    #expect(try passing(.random, 20) == first)
    #expect(try passing(.random, 20, key: Key(4)) != first)
    #expect(try passing(.random.swapped, 20) == first.map { !$0 })
    #expect(try passing(.random.swapped, 5) == passing(.random, 5).map { !$0 })
  }

  @Test func splitsThatCannotBeThrow() {
    for (split, shape) in [
      (Split.checkerboard, Shape(4)), (.mask([true, true]), 2), (.mask([false, false]).swapped, 2),
      (.mask([true, false, true]), 2), (.mask([]), 2),
    ] {
      #expect(throws: FlowError.self) {
        _ = try AdditiveCoupling(MLP(hidden: [2]), split: split)(Key(0), inputDim: shape)
      }
    }
  }

  @Test func aWrongOrderIsRefused() throws {
    let (params, forward, _) = try AffineCoupling(MLP(hidden: [2]), split: .random)(Key(0), inputDim: 4)
    let broken = try params.replacing("permutation", by: .frozen(Tensor(ints: [0, 1, 1, 2])))
    #expect(throws: FlowError.self) { _ = try forward(broken, .zeros([1, 4])) }
  }
}

@Suite struct NumericalInverseTests {
  /// x + a x³, elementwise, with parameter a > 0.
  @Sendable private static func cubic(_ x: Tensor, _ a: [Tensor]) -> (value: Tensor, slope: Tensor) {
    (x + a[0] * x * x * x, 1 + 3 * a[0] * x * x)
  }

  private func inverse(_ y: Tensor, _ a: Tensor) -> Tensor {
    inverseOfMonotone(at: y, given: [a]) { Self.cubic($0, $1) }
  }

  @Test(arguments: [DType.float32, .float64]) func solvesToTheLastFloats(_ dtype: DType) {
    let y = Tensor([0, 1e-20, -1e-3, 0.7, -3, 1e3, -1e8, 1e15], dtype: dtype)
    let a = Tensor([1, 2, 0.1, 1e-6, 100, 1e-3, 1, 3], dtype: dtype)
    let x = inverse(y, a)
    let eps = dtype == .float32 ? 1.2e-7 : 2.3e-16
    for (got, wanted) in zip(Self.cubic(x, [a]).value.doubles, y.doubles) {
      #expect(abs(got - wanted) <= 8 * eps * abs(wanted))
    }
  }

  @Test func derivativesAreExactToEveryOrder() {
    let (y, a) = (Tensor([0.3, -2, 5], dtype: .float64), Tensor([0.5, 2, 0.1], dtype: .float64))
    let x = inverse(y, a)
    let slope = Self.cubic(x, [a]).slope
    let ones = Tensor.ones([3], dtype: .float64)
    // x' = 1/f', x'' = −f''/f'³, ∂x/∂a = −x³/f'
    let first = jvp(at: y, along: ones) { inverse($0, a) }.tangent
    #expect(isClose(first, 1 / slope, 1e-12))
    #expect(isClose(gradient(at: y) { inverse($0, a).sum() }, 1 / slope, 1e-12))
    #expect(isClose(gradient(at: a) { inverse(y, $0).sum() }, -x * x * x / slope, 1e-12))
    #expect(isClose(jvp(at: a, along: ones) { inverse(y, $0) }.tangent, -x * x * x / slope, 1e-12))

    let second = -(6 * a * x) / (slope * slope * slope)
    #expect(
      isClose(
        jvp(at: y, along: ones) { y in gradient(at: y) { inverse($0, a).sum() } }.tangent, second, 1e-11))
    #expect(isClose(gradient(at: y) { y in gradient(at: y) { inverse($0, a).sum() }.sum() }, second, 1e-11))
    let nested = jvp(at: y, along: ones) { y in jvp(at: y, along: ones) { inverse($0, a) }.tangent }.tangent
    #expect(isClose(nested, second, 1e-11))
    // x''' = (3 f''² − f' f''') / f'⁵
    let third = (3 * square(6 * a * x) - slope * (6 * a)) / pow(slope, 5)
    let thrice = jvp(at: y, along: ones) { y in
      jvp(at: y, along: ones) { y in gradient(at: y) { inverse($0, a).sum() } }.tangent
    }.tangent
    #expect(isClose(thrice, third, 1e-10))
    let mixed = gradient(at: a) { a in gradient(at: y) { inverse($0, a).sum() }.sum() }
    let step = 1e-6
    let difference =
      (1 / Self.cubic(inverse(y, a + step), [a + step]).slope
        - 1 / Self.cubic(inverse(y, a - step), [a - step]).slope) / (2 * step)
    #expect(isClose(mixed, difference, 1e-8))
  }

  @Test func aNaNStaysWhereItIs() {
    let y = Tensor([1, .nan, 3], dtype: .float64)
    let x = inverse(y, .ones([3], dtype: .float64))
    let clean = inverse(Tensor([1, 2, 3], dtype: .float64), .ones([3], dtype: .float64))
    #expect(x.doubles[1].isNaN)
    #expect(x[0..<1].isIdentical(to: clean[0..<1]) && x[2..<3].isIdentical(to: clean[2..<3]))
  }

  @Test func stepsAndFlatPiecesAreBisected() {
    // Slope claimed 1e-30 in the middle, a cliff: Newton alone would fly off.
    let y = Tensor([0.5, -0.25, 0.999], dtype: .float64)
    let x = inverseOfMonotone(
      at: y, between: (lower: .full([3], -50, dtype: .float64), upper: .full([3], 90, dtype: .float64))
    ) {
      x, _ in (tanh(1e3 * x), 1e3 * (1 - square(tanh(1e3 * x))))
    }
    #expect(isClose(tanh(1e3 * x), y, 1e-12))
  }
}
