import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

private let log2π = 1.8378770664093454836

@Suite struct FlowTests {
  private let network = MLP(hidden: [8], activation: .tanh, lastWeight: .glorotUniform)

  /// ActNorm under a standard normal prior is a normal density: location `bias`, scale exp(−logScale).
  @Test(arguments: [DType.float32, .float64]) func affineFlowIsANormalDensity(_ dtype: DType) throws {
    let (initial, logPDF, _) = try Flow(ActNorm())(Key(0), inputDim: 2, dtype: dtype)
    let params = try initial.replacing(
      "bijection",
      by: [
        "logScale": .leaf(Tensor([-0.5, 0.25], dtype: dtype)), "bias": .leaf(Tensor([3, -1], dtype: dtype)),
      ])
    let x = Tensor([[3, -1], [0, 0], [5, 2]], dtype: dtype)
    let e = { (power: Double) in exp(Tensor(power, dtype: .float64)).item }
    let expected = x.doubles.indices.filter { $0 % 2 == 0 }.map { i in
      let (a, b) = ((x.doubles[i] - 3) * e(-0.5), (x.doubles[i + 1] + 1) * e(0.25))
      return -0.5 * (a * a + b * b) - log2π - 0.25
    }
    #expect(isClose(try logPDF(params, x), Tensor(expected, dtype: dtype), dtype == .float32 ? 1e-6 : 1e-14))
  }

  /// A linear map y = xW under a standard normal prior is the normal density of covariance (W Wᵀ)⁻¹.
  @Test func linearFlowIsAMultivariateNormalDensity() throws {
    let (params, forward, _) = try InvertibleLinear()(Key(5), inputDim: 3, dtype: .float64)
    let moved = params.mapLearned { $0 + 0.3 * wave($0.shape) }
    let weight = try forward(moved, .identity(3, dtype: .float64)).outputs
    let (initial, logPDF, _) = try Flow(InvertibleLinear())(Key(9), inputDim: 3, dtype: .float64)
    let x = wave([4, 3], phase: 2)
    let precision = matmul(weight, weight, transposeB: true)
    let quadratic = (matmul(x, precision) * x).sumPerRow()
    let expected = -0.5 * quadratic + 0.5 * logAbsDeterminant(precision).item - 1.5 * log2π
    #expect(isClose(try logPDF(initial.replacing("bijection", by: moved), x), expected, 1e-12))
  }

  @Test func learnedNormalIsItsFormula() throws {
    let (initial, logPDF, sample) = try Normal(.learned)(Key(0), inputDim: 2, dtype: .float64)
    let params: Params = [
      "location": .leaf(Tensor([1, 2], dtype: .float64)),
      "logScale": .leaf(Tensor([0.5, -1], dtype: .float64)),
    ]
    #expect(initial.paths == params.paths)
    let z = Key(3).normal([6, 2], dtype: .float64)
    let x = params["location"] + exp(params["logScale"]) * z
    #expect(try sample(Key(3), params, count: 6).isIdentical(to: x))
    #expect(isClose(try logPDF(params, x), -0.5 * square(z).sumPerRow() - log2π + 0.5, 1e-13))
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let flow: Flow
    let inputDim: Shape
    var contextDim: Shape?
  }

  static let table: [Row] = {
    let network = MLP(hidden: [8], activation: .tanh, lastWeight: .glorotUniform)
    let layers: [any Bijection] = [
      ActNorm(), InvertibleLinear(), AffineCoupling(network), Shuffle(), AdditiveCoupling(network),
    ]
    return [
      Row(testDescription: "vector", flow: Flow(Serial(layers)), inputDim: 5),
      Row(testDescription: "one number", flow: Flow(Serial(layers)), inputDim: 1),
      Row(testDescription: "image", flow: Flow(Serial(layers)), inputDim: [3, 2, 4]),
      Row(testDescription: "context", flow: Flow(Serial(layers)), inputDim: 5, contextDim: 3),
      Row(testDescription: "learned prior", flow: Flow(Serial(layers), prior: Normal(.learned)), inputDim: 4),
      Row(testDescription: "flow as prior", flow: Flow(Reverse(), prior: Flow(Serial(layers))), inputDim: 4),
      Row(testDescription: "inverted", flow: Flow(Inverted(Serial(layers))), inputDim: 4),
    ]
  }()

  private func context(_ row: Row, _ count: Int, _ dtype: DType = .float32) -> Tensor? {
    row.contextDim.map { Key(77).normal($0.batched(count)).cast(to: dtype) }
  }

  @Test(arguments: table) func samplesComeWithTheirLogPDF(_ row: Row) throws {
    for (dtype, tolerance) in [(DType.float32, 2e-5), (.float64, 1e-12)] {
      let (initial, logPDF, sample) = try row.flow(
        Key(1), inputDim: row.inputDim, contextDim: row.contextDim, dtype: dtype)
      let params = initial.mapLearned { $0 + 0.1 * wave($0.shape, dtype: dtype) }
      let context = context(row, 40, dtype)
      let (draws, density) = try sample.withLogPDF(Key(2), params, count: 40, given: context)
      #expect(draws.shape == row.inputDim.batched(40))
      #expect(draws.dtype == dtype)
      #expect(try sample(Key(2), params, count: 40, given: context).isIdentical(to: draws))
      #expect(isClose(try logPDF(params, draws, given: context), density, tolerance))
    }
  }

  @Test(arguments: table) func firstDrawsDoNotDependOnTheCount(_ row: Row) throws {
    let (params, _, sample) = try row.flow(Key(1), inputDim: row.inputDim, contextDim: row.contextDim)
    let context = context(row, 300)
    let (all, densities) = try sample.withLogPDF(Key(2), params, count: 300, given: context)
    for count in [0, 1, 2, 7, 129] {
      let (few, density) = try sample.withLogPDF(Key(2), params, count: count, given: context?[0..<count])
      #expect(few.isIdentical(to: all[0..<count]), "\(count) draws")
      #expect(density.isIdentical(to: densities[0..<count]), "\(count) draws")
    }
  }

  @Test(arguments: table) func loadingUnderAnotherKeyGivesTheSameFunction(_ row: Row) throws {
    let (params, logPDF, sample) = try row.flow(Key(1), inputDim: row.inputDim, contextDim: row.contextDim)
    let (others, otherPDF, otherSample) = try row.flow(
      Key(2), inputDim: row.inputDim, contextDim: row.contextDim)
    let loaded = params.map { leaf in
      leaf.dtype == .int32
        ? Tensor(ints: leaf.ints, shape: leaf.shape) : Tensor(floats: leaf.floats, shape: leaf.shape)
    }
    #expect(others.paths == params.paths)
    let (x, context) = (Key(3).normal(row.inputDim.batched(9)), context(row, 9))
    #expect(try otherPDF(loaded, x, given: context).isIdentical(to: logPDF(params, x, given: context)))
    let draws = try sample(Key(4), params, count: 9, given: context)
    #expect(try otherSample(Key(4), loaded, count: 9, given: context).isIdentical(to: draws))
  }

  @Test(arguments: table) func gradientsHaveTheLearnedStructure(_ row: Row) throws {
    let (params, logPDF, _) = try row.flow(Key(1), inputDim: row.inputDim, contextDim: row.contextDim)
    let (x, context) = (Key(3).normal(row.inputDim.batched(9)), context(row, 9))
    let (value, gradient) = try valueAndGradient(at: params, over: x, given: context) { params, x, context in
      try -logPDF(params, x, given: context)
    }
    #expect(abs(value.item + (try logPDF(params, x, given: context)).mean().item) < 1e-4)
    #expect(gradient.paths == params.learned.paths)
    #expect(gradient.leaves.allSatisfy { $0.isFinite })
  }

  @Test func priorParametersAreInTheTreeAndLearn() throws {
    let (params, logPDF, _) = try Flow(Shuffle(), prior: Normal(.learned))(Key(0), inputDim: 3)
    #expect(params.paths == ["bijection/permutation", "prior/location", "prior/logScale"])
    let x = 2 + Key(1).normal([50, 3])
    let gradient = try gradient(at: params) { try -logPDF($0, x).mean() }
    #expect(gradient.paths == ["prior/location", "prior/logScale"])
    // d/dm of ½(x − m)² is m − x; d/ds of ½(x − m)² e^(−2s) + s is 1 − x² at 0.
    let location = try #require(gradient[path: "prior/location"]?.value)
    let logScale = try #require(gradient[path: "prior/logScale"]?.value)
    let expected = x.gathered(params.child("bijection")["permutation"])
    #expect(isClose(location, -expected.mean(axis: 0), 1e-5))
    #expect(isClose(logScale, 1 - square(expected).mean(axis: 0), 1e-4))
  }

  /// One row of context serves all draws.
  @Test func oneContextRowForAllDraws() throws {
    let flow = Flow(Serial(AffineCoupling(network), Reverse(), AffineCoupling(network)))
    let (params, _, sample) = try flow(Key(1), inputDim: 4, contextDim: 2)
    let row = Tensor([[0.3, -2]])
    let each = row.broadcast(to: [6, 2])
    let draws = try sample(Key(2), params, count: 6, given: row)
    #expect(draws.isIdentical(to: try sample(Key(2), params, count: 6, given: each)))
    #expect(try sample(Key(2), params, count: 0, given: row).shape == [0, 4])
  }

  /// Appending a layer leaves the earlier ones' initial values alone, and so does another prior.
  @Test func initialValuesDependOnThePlaceAlone() throws {
    let layers: [any Bijection] = [InvertibleLinear(), AffineCoupling(network), Shuffle()]
    let short = try Flow(Serial(Array(layers.prefix(2))))(Key(4), inputDim: 6).params
    let long = try Flow(Serial(layers), prior: Normal(.learned))(Key(4), inputDim: 6).params
    for (path, leaf) in zip(short.paths, short.leaves) {
      #expect(long[path: path]?.value?.isIdentical(to: leaf) == true, "\(path)")
    }
  }
}
