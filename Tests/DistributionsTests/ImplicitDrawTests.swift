import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// Derivatives of draws that are made by rejection.
@Suite struct ImplicitDrawTests {
  struct Case: Sendable {
    let draw: ImplicitDraw
    let parameter, value, slope: Double
    /// The allowed error, relative to the slope or to the largest one.
    let tolerance: Double
  }

  private static func row(_ parameter: Double, _ logDraw: Double, _ slope: Double) -> Case {
    Case(draw: .logGamma, parameter: parameter, value: logDraw, slope: slope, tolerance: 2e-7 * slope)
  }
  private static func angle(_ concentration: Double, _ value: Double, _ slope: Double) -> Case {
    Case(
      draw: .vonMises, parameter: concentration, value: value, slope: slope,
      tolerance: 2e-7 * min(1, 1 / (concentration * concentration.squareRoot())))
  }

  /// −∂F/∂θ / p by mpmath 1.3.0 with 40 digits: for gamma numbers mp.diff of gammainc(a, 0, x,
  /// regularized=True), for angles mp.quad of the density's derivative from the angle to π.
  static let cases = [
    row(0.1, -9.210340371976182, 87.87466900722504), row(0.1, -1.2039728043259361, 13.354934640751777),
    row(0.5, 0.6931471805599453, 1.255944688181034), row(1, -0.35667494393873245, 1.3903124871319823),
    row(2.5, 0.4054651081081644, 0.5451957906359398), row(2.5, 1.791759469228055, 0.2671644415367069),
    row(30, 3.2188758248682006, 0.03666726398942629), row(30, 3.4965075614664802, 0.03194711162153882),
    row(1e4, 9.205327830152639, 0.00010025250733342637), row(1e4, 9.22029070282935, 9.950496693134845e-05),
    angle(0.01, 2, -0.9111768661376055), angle(1, -0.5, 0.2788272248960605),
    angle(1, 3, -0.20296699607150767), angle(5, 0.8, -0.09152168168104562),
    angle(50, -0.2, 0.0020170388464423655), angle(1e4, 0.013, -6.500254068622213e-07),
  ]

  @Test(arguments: cases.indices) func slopes(_ i: Int) {
    let test = Self.cases[i]
    for dtype in [DType.float32, .float64] {
      let (parameter, value) = (
        Tensor(test.parameter, dtype: dtype), Tensor([test.value], dtype: dtype).reshaped(to: [])
      )
      #expect(test.draw(parameter, value).isIdentical(to: value))
      let found = gradient(at: parameter) { test.draw($0, value) }.item
      let tolerance = dtype == .float64 ? test.tolerance : 2e-5 * abs(test.slope)
      #expect(abs(found - test.slope) <= tolerance, "\(found), expected \(test.slope)")
    }
  }

  /// The second derivative is that of the slope along the draw that moves.
  @Test(arguments: cases.indices) func curvatures(_ i: Int) {
    let test = Self.cases[i]
    func slope(_ parameter: Double, _ value: Double) -> Double {
      let value = Tensor(value, dtype: .float64)
      return gradient(at: Tensor(parameter, dtype: .float64)) { test.draw($0, value) }.item
    }
    let h = 1e-4 * test.parameter
    let (before, after) = (
      slope(test.parameter - h, test.value - h * test.slope),
      slope(test.parameter + h, test.value + h * test.slope)
    )
    let value = Tensor(test.value, dtype: .float64)
    let found = gradient(at: Tensor(test.parameter, dtype: .float64)) { parameter in
      gradient(at: parameter) { test.draw($0, value) }
    }.item
    let expected = (after - before) / (2 * h)
    let size = max(abs(expected), abs(test.slope) / test.parameter)
    #expect(abs(found - expected) < 1e-3 * size, "\(found), expected \(expected)")
  }

  @Test func extremesAreFinite() {
    for (a, logX) in [(1e-3, -5000.0), (1e-3, 2.0), (1e8, 18.42), (1e8, 10), (5, 8), (5, -700)] {
      let value = Tensor(logX, dtype: .float64)
      let slope = gradient(at: Tensor(a, dtype: .float64)) { ImplicitDraw.logGamma($0, value) }
      #expect(slope.isFinite, "\(a), \(logX): \(slope)")
    }
    for (k, angle) in [(1e-6, 3.1415926), (1e8, 3), (1e8, 0), (3, .pi)] {
      let value = Tensor(angle, dtype: .float64)
      let slope = gradient(at: Tensor(k, dtype: .float64)) { ImplicitDraw.vonMises($0, value) }
      #expect(slope.isFinite, "\(k), \(angle): \(slope)")
    }
  }

  /// The first uniform number of a row is 0 there: the opposite pole, whose derivative was NaN.
  @Test func theOppositePoleHasADerivative() throws {
    let (params, _, sample) = try VonMisesFisher(direction: .learned, concentration: .learned(from: 20))(
      Key(0), inputDim: 3)
    let (key, count, place) = (Key(15_642), 500, 486)
    #expect(key.folded(in: 0).uniform([count]).doubles[place] == 0)
    let slope = try gradient(at: params) { square(try sample(key, $0, count: count) - 0.3).sum() }
    #expect(slope.leaves.allSatisfy { $0.isFinite }, "\(slope)")
  }

  /// A choice between components has no derivative. Without the check the gradient was silently wrong.
  @Test func choicesAreRefused() throws {
    let parts = [Normal(location: -1, scale: 1), Normal(.learned)] as [any Distribution]
    for distribution in [
      Mixture(parts), AutoregressiveMixture(MADE(hidden: [4]), components: 2),
      Flow(ActNorm(), prior: Mixture(parts)),
    ] as [any Distribution] {
      let (params, logPDF, sample) = try distribution(Key(0), inputDim: 2)
      do {
        _ = try gradient(at: params) { try sample(Key(1), $0, count: 5).sum() }
        Issue.record("\(distribution) was differentiated")
      } catch { #expect("\(error)".contains("the choice of a component has no derivative"), "\(error)") }
      let draws = try sample(Key(1), params, count: 5)
      let slope = try gradient(at: params) { try logPDF($0, draws).sum() }
      #expect(slope.leaves.allSatisfy { $0.isFinite })
    }
    for distribution in [
      Mixture(parts, weights: [1, 2]), AutoregressiveMixture(MADE(hidden: [4]), components: 1),
    ] as [any Distribution] {
      let (params, _, sample) = try distribution(Key(0), inputDim: 2)
      let slope = try gradient(at: params) { try sample(Key(1), $0, count: 5).sum() }
      #expect(slope.leaves.allSatisfy { $0.isFinite })
    }
  }
}
