import Bijections
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// Numbers from Tests/Fixtures/make_attention.py: PyTorch's transformer layers and Jacobians.
struct AttentionFixture: Decodable, Sendable {
  struct Case: Decodable, Sendable {
    let heads, layers, width: Int
    let isReversed: Bool
    let params: [String: FixtureArray]
    let x, y: FixtureArray
    let context: FixtureArray?
    let logDet: [Double]
  }
  let tarflow, vit, gated: [Case]

  static let loaded: AttentionFixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/attention.json")
    return try! JSONDecoder().decode(AttentionFixture.self, from: Data(contentsOf: file))
  }()
}

@Suite struct TokenReferenceTests {
  /// TarFlow's block by PyTorch: values and log-determinants, both ways.
  @Test(arguments: AttentionFixture.loaded.tarflow.indices) func blockIsPyTorchs(_ i: Int) throws {
    let item = AttentionFixture.loaded.tarflow[i]
    let (x, context) = (item.x.tensor, item.context?.tensor)
    let block = TokenAutoregressive(
      CausalTransformer(width: item.width, layers: item.layers, heads: item.heads),
      InverseTransformer(Affine(scale: .exponential)), isReversed: item.isReversed)
    let (initial, forward, inverse) = try block(
      Key(0), inputDim: x.shape.sample, contextDim: context?.shape.sample, dtype: .float64)
    let params = try initial.setting(item.params)
    let expected = Tensor(item.logDet, dtype: .float64)
    let (y, logDet) = try forward(params, x, given: context)
    #expect(isClose(y, item.y.tensor, 1e-11))
    #expect(isClose(logDet, expected, 1e-11))
    let (back, backLogDet) = try inverse(params, item.y.tensor, given: context)
    #expect(isClose(back, x, 1e-11))
    #expect(isClose(-backLogDet, expected, 1e-11))
  }

  @Test(arguments: AttentionFixture.loaded.vit.indices) func visionTransformerIsPyTorchs(_ i: Int) throws {
    let item = AttentionFixture.loaded.vit[i]
    let (initial, apply) = try VisionTransformer(width: item.width, layers: item.layers, heads: item.heads)(
      Key(0), inputDim: item.x.tensor.shape.sample, outputDim: item.y.tensor.shape.sample, dtype: .float64)
    #expect(isClose(apply(try initial.setting(item.params), item.x.tensor), item.y.tensor, 1e-11))
  }

  /// Flow++'s gated convolutions and attention.
  @Test func gatedNetworkIsPyTorchs() throws {
    for item in AttentionFixture.loaded.gated {
      let network = GatedAttentionNet(hidden: item.width, blocks: item.layers, heads: item.heads)
      let (initial, apply) = try network(
        Key(0), inputDim: item.x.tensor.shape.sample, outputDim: item.y.tensor.shape.sample, dtype: .float64)
      #expect(isClose(apply(try initial.setting(item.params), item.x.tensor), item.y.tensor, 1e-11))
    }
  }
}
