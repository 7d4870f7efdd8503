import Bijections
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// Numbers from Tests/Fixtures/make_images.py: the papers' formulas sample by sample, log-determinants of
/// dense Jacobians.
struct ImageFixture: Decodable, Sendable {
  struct Case: Decodable, Sendable {
    let layer: String
    let variant: String
    let params: [String: FixtureArray]
    let x: FixtureArray
    let context: FixtureArray?
    let y: FixtureArray
    let logDet: [Double]

    var bijection: any Bijection {
      let (net, exponential) = (MLP(hidden: [5], activation: .tanh), Affine(scale: .exponential))
      switch layer {
      case "HINT":
        let permutations: [Substring: HINT.Permutation] = [
          "none": .none, "lower": .lower, "full": .full, "both": .both,
        ]
        let words = variant.split(separator: ",")
        return HINT(net, exponential, permutation: permutations[words[0]]!, isShared: words.count == 1)
      case "JointHINT": return JointHINT(net, exponential, observed: Int(variant)!)
      case "Hyperbolic": return Hyperbolic(hidden: 3, step: Double(variant)!)
      case "IRIM": return IRIM(net)
      case "IRIMLoop":
        return Serial(
          (0..<2).flatMap { _ -> [any Bijection] in
            [
              MisfitGradient(Tensor([[1, 2], [0, -1], [0.5, 3]])), Conditioned(IRIM(net), by: NoContext()),
            ]
          })
      case "EmergingConvolution": return EmergingConvolution(size: Int(variant)!)
      case "PeriodicConvolution": return PeriodicConvolution(size: Int(variant)!)
      default: preconditionFailure("no layer \(layer)")
      }
    }
  }
  struct WaveletCase: Decodable, Sendable {
    let name: String
    let filter: [Double]
    let x: [Double]
    let low: [Double]
    let high: [Double]
  }
  let cases: [Case]
  let wavelets: [WaveletCase]

  static let loaded: ImageFixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/images.json")
    return try! JSONDecoder().decode(ImageFixture.self, from: Data(contentsOf: file))
  }()
}

@Suite struct ImageReferenceTests {
  /// Value for value, with the log-determinants, both ways.
  @Test(arguments: ImageFixture.loaded.cases.indices) func valuesAreThePapers(_ i: Int) throws {
    let item = ImageFixture.loaded.cases[i]
    let context = item.context?.tensor
    let (initial, forward, inverse) = try item.bijection(
      Key(0), inputDim: item.x.tensor.shape.sample, contextDim: context?.shape.sample, dtype: .float64)
    let params = try initial.setting(item.params)
    let label = "\(item.layer) \(item.variant), \(item.x.shape)"
    let expected = Tensor(item.logDet, dtype: .float64)
    let (y, logDet) = try forward(params, item.x.tensor, given: context)
    #expect(isClose(y, item.y.tensor, 1e-10), "\(label)")
    #expect(isClose(logDet, expected, 1e-10), "\(label)")
    let (x, back) = try inverse(params, item.y.tensor, given: context)
    #expect(isClose(x, item.x.tensor, 1e-10), "\(label) backwards")
    #expect(isClose(-back, expected, 1e-10), "\(label) backwards")
  }

  /// PyWavelets' filters and its transform of a periodic signal.
  @Test func waveletsArePyWavelets() throws {
    let own: [String: Wavelet] = [
      "db1": .haar, "db2": .db2, "db3": .db3, "db4": .db4, "coif1": .coif1,
    ]
    #expect(ImageFixture.loaded.wavelets.count == own.count)
    for item in ImageFixture.loaded.wavelets {
      let wavelet = try #require(own[item.name])
      let filter = Tensor(wavelet.filter, dtype: .float64)
      #expect(isClose(filter, Tensor(item.filter, dtype: .float64), 1e-10), "\(item.name)")
      let (params, forward, _) = try Squeeze(.wavelet(wavelet))(Key(0), inputDim: [12, 1], dtype: .float64)
      let y = try forward(params, Tensor(item.x, shape: [1, 12, 1], dtype: .float64)).outputs
      let parts = stack([Tensor(item.low, dtype: .float64), Tensor(item.high, dtype: .float64)], axis: 1)
      #expect(isClose(y, parts.expanded(axis: 0), 1e-10), "\(item.name)")
    }
  }
}
