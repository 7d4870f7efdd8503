import Bijections
import Distributions
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// What `Tests/Fixtures/make_jax_flows.py` wrote: numbers that jax-flows computed. A sign is −1 where
/// jax-flows is mistaken about the sign of a log-determinant.
private struct JaxFlowsFixture: Decodable {
  struct Case: Decodable, CustomTestStringConvertible {
    let name: String
    let params: [String: FixtureArray]
    let x, y, inverse: FixtureArray
    let logDet, inverseLogDet: [Double]
    let sign, inverseSign: Double
    var testDescription: String { "\(name), \(x.shape[1]) numbers" }

    var bijection: any Bijection {
      switch name {
      case "AffineCoupling": affine
      case "AffineCouplingSplit": split
      case "NeuralSplineCoupling": spline
      case "Reverse": Reverse()
      case "Shuffle": Shuffle()
      case "ActNorm": ActNorm()
      case "Invert(ActNorm)": Inverted(ActNorm())
      case "Invert(AffineCoupling)": Inverted(affine)
      case "InvertibleLinear": InvertibleLinear()
      case "FixedInvertibleLinear": FixedInvertibleLinear()
      case "BatchNorm": BatchNorm(mode: .evaluation)
      case "Sigmoid": Sigmoid()
      case "Logit": Logit()
      case let made where made.hasPrefix("MADE "):
        Autoregressive(
          MADE(hidden: made.dropFirst(5).split(separator: " ").map { Int($0)! }),
          InverseTransformer(Affine(scale: .exponential)))
      default: preconditionFailure("no layer \(name)")
      }
    }
  }
  struct ActNormStart: Decodable {
    let batch, logScale, bias: FixtureArray
  }
  struct Training: Decodable {
    struct Step: Decodable {
      let x, y: FixtureArray
      let logDet: [Double]
    }
    let logScale, bias: FixtureArray
    let steps: [Step]
  }
  struct Flow: Decodable {
    let params: [String: FixtureArray]
    let x, y, inverse: FixtureArray
    let logDet, logPDF: [Double]
    let mixture: Mixture
  }
  struct Mixture: Decodable {
    let means: [[Double]]
    let covariances: [[[Double]]]
    let weights, logPDF: [Double]
  }
  let cases: [Case]
  let actNorm: ActNormStart
  let batchNorm: Training
  let flow: Flow

  static let shared: JaxFlowsFixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/jax_flows.json")
    do { return try JSONDecoder().decode(Self.self, from: Data(contentsOf: file)) } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}

private let affine = AffineCoupling(MLP(hidden: [6], activation: .tanh), scale: .exponential)
private let split = AffineCouplingSplit(
  scale: MLP(hidden: [6], activation: .tanh), translate: MLP(hidden: [7], activation: .tanh),
  form: .exponential)

/// Both halves by turns, as jax-flows' NeuralSplineCoupling has it: two couplings.
private let spline: Serial = {
  let (net, spline) = (MLP(hidden: [8, 8], activation: .tanh), RationalQuadraticSpline(bins: 5, bound: 3))
  return Serial(Coupling(net, spline), Coupling(net, spline, split: .firstHalf.swapped))
}()

/// Value for value with what jax-flows itself computed.
@Suite struct JaxFlowsTests {
  private func vector(_ values: [Double]) -> Tensor { Tensor(values, dtype: .float64) }

  @Test(arguments: JaxFlowsFixture.shared.cases) private func layer(_ item: JaxFlowsFixture.Case) throws {
    let (initial, forward, inverse) = try item.bijection(
      Key(0), inputDim: [item.x.shape[1]], dtype: .float64)
    let params = try initial.setting(item.params)
    let (y, logDet) = try forward(params, item.x.tensor)
    #expect(isClose(y, item.y.tensor, 1e-10))
    #expect(isClose(logDet, item.sign * vector(item.logDet), 1e-10))
    let (x, back) = try inverse(params, item.y.tensor)
    #expect(isClose(x, item.inverse.tensor, 1e-10))
    #expect(isClose(back, item.inverseSign * vector(item.inverseLogDet), 1e-10))
  }

  @Test func actNormStartsFromData() throws {
    let item = JaxFlowsFixture.shared.actNorm
    let (params, _, _) = try ActNorm()(Key(0), inputDim: 4, initInputs: item.batch.tensor, dtype: .float64)
    #expect(isClose(params["logScale"], item.logScale.tensor, 1e-10))
    #expect(isClose(params["bias"], item.bias.tensor, 1e-10))
  }

  @Test func batchNormInTraining() throws {
    let item = JaxFlowsFixture.shared.batchNorm
    let (initial, forward, _) = try BatchNorm(mode: .training)(Key(0), inputDim: 3, dtype: .float64)
    let params = try initial.replacing("logScale", by: .leaf(item.logScale.tensor))
      .replacing("bias", by: .leaf(item.bias.tensor))
    for step in item.steps {
      let (y, logDet) = try forward(params, step.x.tensor)
      #expect(isClose(y, step.y.tensor, 1e-10))
      #expect(isClose(logDet, vector(step.logDet), 1e-10))
    }
  }

  @Test func serialAndFlow() throws {
    let item = JaxFlowsFixture.shared.flow
    let bijection = Serial(
      affine, Shuffle(), InvertibleLinear(), Inverted(ActNorm()), BatchNorm(mode: .evaluation), spline,
      Reverse(), split)
    let x = item.x.tensor
    let (initial, forward, inverse) = try bijection(Key(0), inputDim: 4, dtype: .float64)
    let params = try initial.setting(item.params)
    let (y, logDet) = try forward(params, x)
    #expect(isClose(y, item.y.tensor, 1e-10))
    #expect(isClose(logDet, vector(item.logDet), 1e-10))
    #expect(isClose(try inverse(params, item.y.tensor).outputs, item.inverse.tensor, 1e-10))

    func density(_ prior: any Distribution) throws -> Tensor {
      let (initial, logPDF, _) = try Flow(bijection, prior: prior)(Key(0), inputDim: 4, dtype: .float64)
      return try logPDF(
        initial.replacing("bijection", by: initial.child("bijection").setting(item.params)), x)
    }
    let mixture = GaussianMixture(
      means: item.mixture.means, covariances: item.mixture.covariances, weights: item.mixture.weights)
    #expect(isClose(try density(Normal()), vector(item.logPDF), 1e-10))
    #expect(isClose(try density(mixture), vector(item.mixture.logPDF), 1e-10))
  }
}
