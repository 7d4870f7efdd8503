import Bijections
import Distributions
import Randomness
import Tensors
import Testing
import Training

/// Fits to a target of distributions whose draws are made by rejection: they end at the target's parameters.
@Suite struct RejectedDrawsTests {
  struct Case: Sendable {
    let name: String
    let distribution: any Distribution
    let inputDim: Shape
    let logDensity: Target.LogDensity
    let expected: [(path: String, numbers: [Double])]
  }

  static let cases = [
    Case(
      name: "Gamma", distribution: Gamma(concentration: .learned, rate: .learned), inputDim: 1,
      logDensity: { x in (3 * log(x) - 2 * x).sumPerRow() },
      expected: [("logConcentration", [4]), ("logRate", [2])]),
    Case(
      name: "Beta", distribution: Beta(.learned, .learned), inputDim: 1,
      logDensity: { x in (2 * log(x) + 4 * log1p(-x)).sumPerRow() },
      expected: [("logA", [3]), ("logB", [5])]),
    Case(
      name: "Dirichlet", distribution: Dirichlet(concentration: .learned), inputDim: 3,
      logDensity: { x in (log(x) * Tensor([0.5, 1, 2], dtype: x.dtype)).sumPerRow() },
      expected: [("logConcentration", [1.5, 2, 3])]),
    Case(
      name: "von Mises", distribution: VonMises(location: .learned(from: 0.5), concentration: .learned),
      inputDim: 1, logDensity: { x in 3 * cos(x - 1).sumPerRow() },
      expected: [("logConcentration", [3])]),
  ]

  @Test(arguments: cases.indices) func findTheParameters(_ i: Int) throws {
    let test = Self.cases[i]
    let target = Target(test.name, inputDim: test.inputDim, logDensity: test.logDensity)
    let fitted = try fit(
      test.distribution, to: target, by: .reverseKL(draws: 24, estimator: .doublyReparameterized),
      key: Key(1), iterations: 250, optimizer: Adam(learningRate: .cosine(0.1, steps: 250)),
      dtype: .float64, progress: .silent)
    for (path, numbers) in test.expected {
      let found = exp(fitted.params[path]).doubles
      #expect(
        zip(found, numbers).allSatisfy { abs($0 / $1 - 1) < 0.02 }, "\(test.name), \(path): \(found)")
    }
  }

  /// Learned weights of a mixture cannot be fitted to a target.
  @Test func learnedWeightsAreRefused() throws {
    let target = Target("normal", inputDim: 1) { -0.5 * square($0).sumPerRow() }
    let parts = [Normal(.learned), Normal(.learned)]
    #expect(throws: FlowError.self) {
      _ = try fit(Mixture(parts), to: target, key: Key(0), iterations: 2, progress: .silent)
    }
    _ = try fit(
      Flow(ActNorm(), prior: Mixture(parts)), to: target, key: Key(0), iterations: 2, progress: .silent)
  }
}
