import Bijections
import Distributions
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// What `Tests/Fixtures/make_jax_flows.py` wrote: jax-flows' formulas from explicit parameters, corrected
/// where they are wrong.
private struct JaxFlowsFixture: Decodable {
  struct Case: Decodable, CustomTestStringConvertible {
    let name: String
    let params: [String: FixtureArray]
    let x, y: FixtureArray
    let logDet: [Double]
    var testDescription: String { "\(name), \(x.shape[1]) numbers" }

    var bijection: any Bijection {
      switch name {
      case "AffineCouplingSplit": split
      case "NeuralSplineCoupling": spline
      case "Reverse": Reverse()
      case "Shuffle": Shuffle()
      case "Invert(ActNorm)": Inverted(ActNorm())
      case "Invert(AffineCoupling)": Inverted(affine)
      default: preconditionFailure("no layer \(name)")
      }
    }
  }
  struct Flow: Decodable {
    let params: [String: FixtureArray]
    let x, y: FixtureArray
    let logDet, logPDF: [Double]
    let mixture: Mixture
  }
  struct Mixture: Decodable {
    let means: [[Double]]
    let covariances: [[[Double]]]
    let weights, logPDF: [Double]
  }
  let cases: [Case]
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

/// Value for value with jax-flows. `LinearTests`, `AutoregressiveReferenceTests` and `DistributionScipyTests`
/// have the rest of it.
@Suite struct JaxFlowsTests {
  private func check(
    _ bijection: any Bijection, _ values: [String: FixtureArray], _ x: Tensor, _ y: Tensor,
    _ logDet: Tensor
  ) throws {
    let (initial, forward, inverse) = try bijection(Key(0), inputDim: [x.shape[1]], dtype: .float64)
    let params = try initial.setting(values)
    let (outputs, outputsLogDet) = try forward(params, x)
    #expect(isClose(outputs, y, 1e-10))
    #expect(isClose(outputsLogDet, logDet, 1e-10))
    let (inputs, inputsLogDet) = try inverse(params, y)
    #expect(isClose(inputs, x, 1e-10))
    #expect(isClose(inputsLogDet, -logDet, 1e-10))
  }

  @Test(arguments: JaxFlowsFixture.shared.cases) private func layer(_ item: JaxFlowsFixture.Case) throws {
    try check(
      item.bijection, item.params, item.x.tensor, item.y.tensor, Tensor(item.logDet, dtype: .float64))
  }

  @Test func serialAndFlow() throws {
    let item = JaxFlowsFixture.shared.flow
    let bijection = Serial(
      affine, Shuffle(), InvertibleLinear(), Inverted(ActNorm()), BatchNorm(mode: .evaluation), spline,
      Reverse(), split)
    let x = item.x.tensor
    try check(bijection, item.params, x, item.y.tensor, Tensor(item.logDet, dtype: .float64))

    func density(_ prior: any Distribution) throws -> Tensor {
      let (initial, logPDF, _) = try Flow(bijection, prior: prior)(Key(0), inputDim: 4, dtype: .float64)
      return try logPDF(
        initial.replacing("bijection", by: initial.child("bijection").setting(item.params)), x)
    }
    let mixture = GaussianMixture(
      means: item.mixture.means, covariances: item.mixture.covariances, weights: item.mixture.weights)
    #expect(isClose(try density(Normal()), Tensor(item.logPDF, dtype: .float64), 1e-10))
    #expect(isClose(try density(mixture), Tensor(item.mixture.logPDF, dtype: .float64), 1e-10))
  }
}
