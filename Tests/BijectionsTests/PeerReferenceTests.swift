import Bijections
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// What `Tests/Fixtures/make_peers.py` wrote: numbers that layers of other libraries computed.
private struct PeerCase: Decodable, Sendable, CustomTestStringConvertible {
  let library, layer, variant: String
  let params: [String: FixtureArray]
  let x, y: FixtureArray
  let context: FixtureArray?
  let logDet: [Double]

  var testDescription: String { "\(library), \(layer) \(variant), \(x.shape)" }

  var bijection: any Bijection {
    let net = MLP(hidden: [5], activation: .tanh)
    switch layer {
    case "AffineCoupling":
      return AffineCoupling(
        variant.hasSuffix("image")
          ? ConvNet(hidden: [3], windows: [3, 3], activation: .tanh) : net, scale: scale)
    case "Coupling spline": return Coupling(net, RationalQuadraticSpline(bins: Int(variant)!, bound: 3))
    case "two AdditiveCoupling":
      return Serial(AdditiveCoupling(net, split: .firstHalf.swapped), AdditiveCoupling(net))
    case "two GIN":
      let gin = VolumePreservingAffine(scale: .arctangent(1.272))
      return Serial(Coupling(net, gin, split: .firstHalf.swapped), Coupling(net, gin))
    case "two AffineCouplingSplit":
      return Serial(
        AffineCouplingSplit(
          scale: net, translate: net, form: .arctangent(1.272), split: .firstHalf.swapped),
        AffineCouplingSplit(scale: net, translate: net, form: .arctangent(1.272)))
    case "Autoregressive spline":
      return Autoregressive(
        MADE(hidden: variant.split(separator: " ").map { Int($0)! }, activation: .relu),
        RationalQuadraticSpline(bins: 3, bound: 3))
    case "Planar": return Planar()
    case "Radial": return Radial()
    case "ActNorm": return ActNorm()
    case "InvertibleLinear": return InvertibleLinear()
    case "Squeeze": return Squeeze(variant == "haar" ? .haar : .checkerboard)
    default: preconditionFailure("no layer \(layer)")
    }
  }

  private var scale: LogScale {
    switch variant {
    case "exponential": .exponential
    case "sigmoid": .sigmoid(shift: 2)
    case "arctangent": .arctangent(1.272)
    case "bounded": .bounded(2)
    default: .within(low: 1e-3, high: 1.001)
    }
  }

  static let all: [PeerCase] = {
    struct File: Decodable { let cases: [PeerCase] }
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/peers.json")
    do { return try JSONDecoder().decode(File.self, from: Data(contentsOf: file)).cases } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}

@Suite struct PeerReferenceTests {
  /// Value for value with the library that a case names, and back.
  @Test(arguments: PeerCase.all) private func layer(_ item: PeerCase) throws {
    let (x, context) = (item.x.tensor, item.context?.tensor)
    let (initial, forward, inverse) = try item.bijection(
      Key(0), inputDim: x.shape.sample, contextDim: context?.shape.sample, dtype: .float64)
    let params = try initial.setting(item.params)
    let expected = Tensor(item.logDet, dtype: .float64)
    let (y, logDet) = try forward(params, x, given: context)
    #expect(isClose(y, item.y.tensor, 1e-10))
    #expect(isClose(logDet, expected, 1e-10))
    let (restored, back) = try inverse(params, item.y.tensor, given: context)
    #expect(isClose(restored, x, 1e-9))
    #expect(isClose(-back, expected, 1e-9))
  }

  @Test func everyLibraryIsThere() {
    #expect(Set(PeerCase.all.map(\.library)) == ["nflows", "normflows", "FrEIA", "pyro", "distrax"])
  }
}
