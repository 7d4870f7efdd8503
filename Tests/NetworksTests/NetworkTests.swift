import Networks
import Randomness
import Tensors
import TestSupport
import Testing

@Suite struct NetworkTests {
  /// A template has all but the norms, which a file holds.
  @Test func templatesOfSpectralNetworks() throws {
    let network = SpectralMLP(hidden: [6, 5], lastWeight: .glorotUniform)
    func params() throws -> Params {
      try network.initialize(Key(0), inputDim: [4], outputDim: [3], dtype: .float32).params
    }
    let (whole, template) = (try params(), try SpectralMLP.$isTemplate.withValue(true) { try params() })
    #expect(whole.paths == template.paths)
    for (path, (a, b)) in zip(whole.paths, zip(whole.leaves, template.leaves)) {
      let isVector = path.hasSuffix("/u") || path.hasSuffix("/v")
      #expect(a.shape == b.shape && (a.doubles == b.doubles) != isVector, "\(path)")
    }
  }

  // MARK: - Dense and MLP

  @Test func denseIsTheFormula() throws {
    let network = Dense(activation: .tanh, bias: .normal(standardDeviation: 1))
    let (params, apply) = try network(Key(0), inputDim: 3, outputDim: 4, dtype: .float64)
    #expect(params.paths == ["weight", "bias"])
    #expect((params["weight"].shape, params["bias"].shape) == ([3, 4], [4]))
    let (x, weight, bias) = (wave([5, 3]), params["weight"].doubles, params["bias"].doubles)
    let expected = (0..<20).map { position -> Double in
      let (i, j) = (position / 4, position % 4)
      return (0..<3).reduce(bias[j]) { $0 + x.doubles[i * 3 + $1] * weight[$1 * 4 + j] }
    }
    #expect(isClose(apply(params, x), tanh(Tensor(expected, shape: [5, 4], dtype: .float64)), 1e-14))
  }

  @Test(arguments: [([], 3, 2), ([5], 3, 2), ([5, 6, 7], 3, 2), ([4], 1, 1), ([4], 0, 3), ([4], 2, 0)])
  func perceptronShapes(_ hidden: [Int], _ inputs: Int, _ outputs: Int) throws {
    let (params, apply) = try MLP(hidden: hidden)(
      Key(1), inputDim: Shape([inputs]), outputDim: Shape([outputs]))
    let widths = [inputs] + hidden + [outputs]
    #expect(params.children.map(\.label) == (0...hidden.count).map { "dense_\($0)" })
    for i in 0...hidden.count {
      #expect(params.child(i)["weight"].shape == Shape([widths[i], widths[i + 1]]))
      #expect(params.child(i)["bias"].shape == Shape([widths[i + 1]]))
    }
    for rows in [0, 1, 9] { #expect(apply(params, .zeros([rows, inputs])).shape == [rows, outputs]) }
  }

  /// On an image the same weights act at every position.
  @Test func perceptronOnAnImage() throws {
    let network = MLP(hidden: [6], activation: .silu, lastWeight: .glorotUniform)
    let (params, apply) = try network(Key(1), inputDim: [2, 3, 4], outputDim: [2, 3, 5])
    let image = wave([7, 2, 3, 4], dtype: .float32)
    let y = apply(params, image)
    #expect(y.shape == [7, 2, 3, 5])
    let rows = apply(params, image.reshaped(to: [42, 4]))
    #expect(y.reshaped(to: [42, 5]).isIdentical(to: rows))
  }

  @Test func perceptronIsItsLayers() throws {
    let network = MLP(hidden: [6, 5], activation: .gelu, lastWeight: .lecunNormal)
    let (params, apply) = try network(Key(1), inputDim: 3, outputDim: 2, dtype: .float64)
    let x = wave([8, 3])
    var y = x
    for i in 0..<3 {
      y = matmul(y, params.child(i)["weight"]) + params.child(i)["bias"]
      if i < 2 { y = 0.5 * y * (1 + erf(y / 2.0.squareRoot())) }
    }
    #expect(isClose(apply(params, x), y, 1e-13))
  }

  @Test func startsAtZero() throws {
    let (params, apply) = try MLP(hidden: [16])(Key(1), inputDim: 3, outputDim: 4)
    #expect(apply(params, wave([5, 3], dtype: .float32)).isIdentical(to: .zeros([5, 4])))
    #expect(params.child("dense_0")["weight"].doubles.contains { $0 != 0 })
  }

  @Test func shapesThatDifferElsewhereThrow() {
    for (input, output) in [([3, 4], [2, 4]), ([4], [3, 4]), ([3, 4], [4])] as [(Shape, Shape)] {
      for network in [Dense(), MLP(hidden: []), MLP(hidden: [5])] as [any Network] {
        let error = #expect(throws: FlowError.self) {
          try network(Key(0), inputDim: input, outputDim: output)
        }
        #expect(error?.description.hasPrefix("Dense: expected an output shape that differs from ") == true)
      }
    }
  }

  @Test func bothDTypesAreOneFunction() throws {
    let network = MLP(hidden: [8], weight: .orthogonal(), lastWeight: .heUniform)
    let single = try network(Key(3), inputDim: 4, outputDim: 2).params
    let double = try network(Key(3), inputDim: 4, outputDim: 2, dtype: .float64).params
    #expect(single.cast(to: .float64).isIdentical(to: double))
  }

  // MARK: - Activations

  private static func exponential(_ x: Double) -> Double { exp(Tensor(x, dtype: .float64)).item }

  static let activations: [(Activation, String, @Sendable (Double) -> Double)] = [
    (.identity, "identity", { $0 }),
    (.relu, "relu", { max($0, 0) }),
    (.tanh, "tanh", { (exponential(2 * $0) - 1) / (exponential(2 * $0) + 1) }),
    (.sigmoid, "sigmoid", { 1 / (1 + exponential(-$0)) }),
    (.softplus, "softplus", { log(Tensor(1 + exponential($0), dtype: .float64)).item }),
    (.leakyReLU(), "leakyReLU(0.01)", { $0 > 0 ? $0 : 0.01 * $0 }),
    (.leakyReLU(0.3), "leakyReLU(0.3)", { $0 > 0 ? $0 : 0.3 * $0 }),
    (.elu, "elu", { $0 > 0 ? $0 : exponential($0) - 1 }),
    (.silu, "silu", { $0 / (1 + exponential(-$0)) }),
    (.gelu, "gelu", { 0.5 * $0 * (1 + erf(Tensor($0 / 2.0.squareRoot(), dtype: .float64)).item) }),
    (Activation("cube") { $0 * $0 * $0 }, "cube", { $0 * $0 * $0 }),
  ]

  @Test(arguments: activations.indices) func activation(_ index: Int) throws {
    let (activation, name, formula) = Self.activations[index]
    #expect(activation.description == name)
    let x = Tensor([-5, -1, -0.3, 0, 0.2, 1, 4], dtype: .float64)
    let expected = Tensor(x.doubles.map(formula), dtype: .float64)
    #expect(isClose(activation(x), expected, 1e-13))
    // As part of a dense layer, where some are fused.
    let (_, apply) = try Dense(activation: activation)(Key(0), inputDim: 1, outputDim: 1, dtype: .float64)
    let params: Params = [
      "weight": .leaf(.ones([1, 1], dtype: .float64)), "bias": .leaf(.zeros([1], dtype: .float64)),
    ]
    #expect(isClose(apply(params, x.expanded(axis: 1)), expected.expanded(axis: 1), 1e-13))
  }

  /// Far out and at the kink, values and slopes stay finite.
  @Test(arguments: activations.indices) func activationsAreFiniteFarOut(_ index: Int) {
    let (activation, name, _) = Self.activations[index]
    if name == "cube" { return }
    for dtype in [DType.float32, .float64] {
      let x = Tensor([-1e4, -100, -1e-30, 0, 1e-30, 100, 1e4], dtype: dtype)
      let (y, slope) = jvp(at: x, along: .ones(x.shape, dtype: dtype)) { activation($0) }
      #expect(y.isFinite && slope.isFinite, "\(name) \(dtype)")
      #expect(gradient(at: x) { activation($0).sum() }.isFinite, "\(name) \(dtype)")
    }
  }

  // MARK: - Initializers

  /// Initializers, a shape, and the mean and variance of their numbers.
  static let initializers: [(String, Initializer, Shape, mean: Double, variance: Double, bound: Double)] = [
    ("zeros", .zeros, [20, 30], 0, 0, 0),
    ("ones", .ones, [20, 30], 1, 0, 1),
    ("constant", .constant(2.5), [20, 30], 2.5, 0, 2.5),
    ("uniform", .uniform(-1..<3), [200, 300], 1, 16.0 / 12, 3),
    ("normal", .normal(standardDeviation: 0.1), [200, 300], 0, 0.01, .infinity),
    ("glorotUniform", .glorotUniform, [200, 300], 0, 2.0 / 500, (6.0 / 500).squareRoot()),
    ("glorotNormal", .glorotNormal, [200, 300], 0, 2.0 / 500, .infinity),
    ("heUniform", .heUniform, [200, 300], 0, 2.0 / 200, (6.0 / 200).squareRoot()),
    ("heNormal", .heNormal, [200, 300], 0, 2.0 / 200, .infinity),
    ("lecunNormal", .lecunNormal, [200, 300], 0, 1.0 / 200, .infinity),
    ("heNormal, 3x3 window", .heNormal, [3, 3, 40, 100], 0, 2.0 / 360, .infinity),
    ("glorotUniform, 3x3 window", .glorotUniform, [3, 3, 40, 100], 0, 2.0 / 1260, (6.0 / 1260).squareRoot()),
    ("orthogonal", .orthogonal(), [100, 100], 0, 1.0 / 100, 1),
  ]

  @Test(arguments: initializers.indices) func moments(_ index: Int) {
    let (name, initializer, shape, mean, variance, bound) = Self.initializers[index]
    let draw = initializer(Key(5), shape)
    #expect(draw.shape == shape && draw.dtype == .float32)
    let values = draw.doubles
    let count = Double(values.count)
    let average = values.reduce(0, +) / count
    let spread = values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / count
    // Five standard errors of a mean; 5 % of a variance, which has a relative error of 1 % or less here.
    #expect(abs(average - mean) <= 5 * (variance / count).squareRoot() + 1e-7, "\(name): mean \(average)")
    #expect(abs(spread - variance) <= 0.05 * variance + 1e-9, "\(name): variance \(spread) for \(variance)")
    #expect(values.allSatisfy { abs($0) <= bound * (1 + 1e-6) }, "\(name)")
    #expect(initializer(Key(5), shape, dtype: .float64).isIdentical(to: draw.cast(to: .float64)))
    if variance > 0 { #expect(!initializer(Key(6), shape).isIdentical(to: draw)) }
  }

  @Test(arguments: [[5, 5], [7, 3], [3, 7], [1, 1], [1, 4], [2, 3, 4]], [1.0, 2.5])
  func orthogonalityOfRowsOrColumns(_ sizes: [Int], _ gain: Double) {
    let shape = Shape(sizes)
    let matrix = Initializer.orthogonal(gain: gain)(Key(5), shape).reshaped(to: [
      shape.count / shape[-1], shape[-1],
    ])
    let isTall = matrix.shape[0] >= matrix.shape[1]
    let product = matmul(matrix, matrix, transposeA: isTall, transposeB: !isTall)
    #expect(isClose(product, gain * gain * .identity(product.rows), 1e-5))
  }

  /// A rotation's determinant takes both signs: the matrices are uniform over rotations and reflections.
  @Test func orthogonalMatricesHaveBothDeterminants() {
    let signs = (0..<40).map { seed -> Double in
      let packed = lu(Initializer.orthogonal()(Key(seed), [2, 2]))
      let diagonal = packed.packed.diagonal().doubles
      return (diagonal[0] * diagonal[1] > 0 ? 1 : -1) * (packed.order.ints == [0, 1] ? 1 : -1)
    }
    #expect((10...30).contains(signs.filter { $0 > 0 }.count))
  }

  // MARK: - Keys

  /// A layer more, or a wider last one, leaves the earlier layers' initial values alone; no two leaves are
  /// equal.
  @Test func layersHaveKeysOfTheirOwn() throws {
    let short = try MLP(hidden: [6], lastWeight: .heNormal)(Key(2), inputDim: 6, outputDim: 6).params
    let long = try MLP(hidden: [6, 6], lastWeight: .heNormal)(Key(2), inputDim: 6, outputDim: 6).params
    #expect(long.child("dense_0").isIdentical(to: short.child("dense_0")))
    let weights = (0..<3).map { long.child($0)["weight"].doubles }
    #expect(Set(weights).count == 3)
    let dense = try Dense(weight: .normal(standardDeviation: 1), bias: .normal(standardDeviation: 1))(
      Key(2), inputDim: 1, outputDim: 6
    ).params
    #expect(dense["weight"].doubles != dense["bias"].doubles)
  }
}
