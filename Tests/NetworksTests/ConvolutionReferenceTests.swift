import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

/// Numbers from Tests/Fixtures/make_convolution.py: jax.lax.conv_general_dilated and its derivatives, in
/// float64.
struct ConvolutionFixture: Decodable, Sendable {
  struct Array: Decodable, Sendable {
    let shape: [Int]
    let values: [Double]
    var tensor: Tensor { Tensor(values, shape: Shape(shape), dtype: .float64) }
  }
  let strides: [Int]
  let padding: [Int]
  let isSame: Bool
  let x: Array
  let w: Array
  let y: Array
  let g: Array
  let gx: Array
  let gw: Array

  var ends: ConvolutionPadding { isSame ? .same : padding.isEmpty ? .valid : .symmetric(padding) }

  static func load() throws -> [ConvolutionFixture] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/convolution.json")
    return try JSONDecoder().decode([ConvolutionFixture].self, from: Data(contentsOf: file))
  }
}

@Suite struct ConvolutionReferenceTests {
  @Test func valuesAndDerivativesAreJAX() throws {
    let cases = try ConvolutionFixture.load()
    #expect(cases.count == 10)
    for item in cases {
      let (x, w) = (item.x.tensor, item.w.tensor)
      let (y, byX) = vjp(at: x) { convolution($0, w, strides: item.strides, padding: item.ends) }
      let byW = vjp(at: w) { convolution(x, $0, strides: item.strides, padding: item.ends) }.pullback
      let label = "\(x.shape) with \(w.shape)"
      #expect(isClose(y, item.y.tensor, 1e-12), "\(label)")
      #expect(isClose(byX(item.g.tensor), item.gx.tensor, 1e-12), "\(label)")
      #expect(isClose(byW(item.g.tensor), item.gw.tensor, 1e-12), "\(label)")
    }
  }
}

/// Networks on images: shapes, starts, what they refuse, and their parameters' gradients.
@Suite struct ImageNetworkTests {
  static let networks: [(name: String, network: any Network, inputDim: Shape, outputDim: Shape)] = [
    ("Conv", Conv(3), [5, 4, 2], [5, 4, 3]),
    ("Conv, stride", Conv([3, 2], stride: [2, 1], activation: .silu), [5, 4, 2], [3, 4, 3]),
    ("Conv, transposed", Conv(3, stride: 2, isTransposed: true), [2, 3, 2], [4, 6, 1]),
    ("Conv, one axis", Conv(3, padding: .valid), [5, 2], [3, 2]),
    ("Conv, three axes", Conv(2, padding: .symmetric([1])), [2, 3, 2, 1], [3, 4, 3, 2]),
    ("ConvNet", ConvNet(hidden: [4, 4], lastWeight: .glorotUniform), [3, 4, 2], [3, 4, 3]),
    ("ResidualBlock, fan", ResidualBlock(hidden: 3, lastWeight: .glorotUniform), [3, 4, 2], [3, 4, 3]),
    (
      "ResidualBlock, GaLU, stride",
      ResidualBlock(hidden: 3, windows: (4, 3), stride: 2, end: .galu, lastWeight: .glorotUniform),
      [4, 6, 2], [4, 6, 1]
    ),
    ("ResNet", ResNet(hidden: 3, blocks: 2, lastWeight: .glorotUniform), [3, 4, 2], [3, 4, 3]),
    ("Flattened", Flattened(MLP(hidden: [5], lastWeight: .glorotUniform)), [2, 3, 1], [2, 3, 2]),
    (
      "ConditionalResidualBlock",
      ConditionalResidualBlock(image: [2, 3, 1], network: ConvNet(hidden: [3], lastWeight: .glorotUniform)),
      10, 12
    ),
  ]

  @Test(arguments: networks.indices) func shapesRowsAndGradients(_ i: Int) throws {
    let (name, network, inputDim, outputDim) = Self.networks[i]
    let (start, apply) = try network(Key(1), inputDim: inputDim, outputDim: outputDim, dtype: .float64)
    let params = start.perturbed(Key(5))
    let x = Key(2).normal(inputDim.batched(4), dtype: .float64)
    let y = apply(params, x)
    #expect(y.shape == outputDim.batched(4), "\(name)")
    #expect(apply(params, x[2..<3]).isIdentical(to: y[2..<3]), "\(name)")
    let weights = Key(3).normal(y.shape, dtype: .float64)
    func probe(_ params: Params) -> Tensor { (apply(params, x) * weights).sum() }
    let gradient = gradient(at: params, probe)
    #expect(gradient.leaves.allSatisfy { leaf in leaf.doubles.contains { $0 != 0 } }, "\(name)")
    let direction = params.learned.filled(with: 0).perturbed(Key(4), by: 1)
    let slope = try jvp(at: params, along: direction, probe).tangent.item
    let claimed = try gradient.zip(with: direction) { ($0 * $1).sum().item }.leaves.reduce(0, +)
    #expect(abs(slope - claimed) < 1e-9 * max(1, abs(slope)), "\(name)")
  }

  @Test func lastLayersStartAtZero() throws {
    for network in [ConvNet(hidden: [3]), ResidualBlock(hidden: 3), ResNet(hidden: 3, blocks: 1)]
      as [any Network]
    {
      let (params, apply) = try network(Key(1), inputDim: [4, 4, 2], outputDim: [4, 4, 3])
      #expect(apply(params, Key(2).normal([2, 4, 4, 2])).doubles.allSatisfy { $0 == 0 })
    }
  }

  @Test func wrongShapesThrow() {
    #expect(throws: FlowError.self) { _ = try Conv(3)(Key(0), inputDim: 5, outputDim: 5) }
    #expect(throws: FlowError.self) { _ = try Conv(3)(Key(0), inputDim: [4, 4, 1], outputDim: [4, 3, 1]) }
    #expect(throws: FlowError.self) {
      _ = try Conv(3, padding: .valid)(Key(0), inputDim: [2, 4, 1], outputDim: [1, 2, 1])
    }
    #expect(throws: FlowError.self) { _ = try Conv([3, 3])(Key(0), inputDim: [4, 1], outputDim: [4, 1]) }
    #expect(throws: FlowError.self) {
      _ = try ResidualBlock(hidden: 2, stride: 2)(Key(0), inputDim: [5, 4, 1], outputDim: [5, 4, 1])
    }
    #expect(throws: FlowError.self) {
      _ = try ConditionalResidualBlock(image: [2, 2, 1], network: ConvNet(hidden: [2]))(
        Key(0), inputDim: 4, outputDim: 8)
    }
  }
}
