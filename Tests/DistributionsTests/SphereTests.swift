import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

/// Distributions on the sphere and on tori: their mass is 1, and their draws follow them.
@Suite struct SphereTests {
  private static let net = MLP(hidden: [5], activation: .tanh, lastWeight: .glorotUniform)

  private static let onSphere: [(name: String, distribution: any Distribution)] = [
    ("uniform", UniformSphere()),
    ("von Mises-Fisher", VonMisesFisher(direction: [1, -2, 2], concentration: 6)),
    ("weak von Mises-Fisher", VonMisesFisher(direction: [0.1, 0.1, -2], concentration: 1e-3)),
    ("preset", Flow.sphere(layers: 1, hidden: [5], bins: 4)),
    (
      "radial maps",
      Flow(Serial(SphereRadial(), Inverted(SphereRadial()), SphereRadial()), prior: UniformSphere())
    ),
    (
      "Möbius map of a mixture",
      Flow(
        Serial(SphereMobius(), Householder(reflections: 2)),
        prior: Mixture([VonMisesFisher(concentration: 3), UniformSphere()]))
    ),
  ]

  /// Parameters that are not the identity.
  private func moved(_ distribution: any Distribution, _ inputDim: Shape) throws -> InitializedDistribution {
    let (params, logPDF, sample) = try distribution(Key(3), inputDim: inputDim, dtype: .float64)
    return (params.perturbed(Key(4), by: 0.3), logPDF, sample)
  }

  /// The midpoints of `count` equal parts of an interval.
  private func midpoints(_ count: Int, from low: Double, to high: Double) -> Tensor {
    let width = (high - low) / Double(count)
    return Tensor((0..<count).map { low + (Double($0) + 0.5) * width }, dtype: .float64)
  }

  /// All pairs of numbers, [n · m, 2].
  private func pairs(_ a: Tensor, _ b: Tensor) -> Tensor {
    let shape = Shape(a.count, b.count)
    let both = [a.expanded(axis: 1).broadcast(to: shape), b.broadcast(to: shape)]
    return stack(both, axis: 2).reshaped(to: [a.count * b.count, 2])
  }

  /// The midpoints of a grid of `count` by 2 `count` cells of equal area.
  private func grid(_ count: Int) -> Tensor {
    let cells = pairs(midpoints(count, from: -1, to: 1), midpoints(2 * count, from: -.pi, to: .pi))
    let (height, angle) = (cells.sliced(axis: 1, 0..<1), cells.sliced(axis: 1, 1..<2))
    let radius = sqrt(1 - square(height))
    return concatenate([radius * cos(angle), radius * sin(angle), height], axis: 1)
  }

  @Test(arguments: onSphere.indices) func integratesToOneOverTheSphere(_ i: Int) throws {
    let (name, distribution) = Self.onSphere[i]
    let (params, logPDF, _) = try moved(distribution, 3)
    let mass = exp(try logPDF(params, grid(40))).mean().item * 4 * .pi
    #expect(abs(mass - 1) < 3e-3, "\(name): \(mass)")
    let outside = try logPDF(params, Tensor([[0.9, 0, 0], [1, 1, 1]], dtype: .float64))
    #expect(outside.doubles == [-.infinity, -.infinity])
  }

  /// Means of x, z² and xy over draws, against those by quadrature.
  @Test(arguments: onSphere.indices) func drawsFollowTheDensity(_ i: Int) throws {
    let (name, distribution) = Self.onSphere[i]
    let (params, logPDF, sample) = try moved(distribution, 3)
    func features(_ x: Tensor) -> Tensor {
      let columns = (0..<3).map { x.sliced(axis: 1, $0..<$0 + 1) }
      return concatenate(columns + [square(columns[2]), columns[0] * columns[1]], axis: 1)
    }
    let points = grid(40)
    let weights = exp(try logPDF(params, points)).expanded(axis: 1) * (4 * .pi / Double(points.rows))
    let expected = (weights * features(points)).sum(axis: 0)
    let draws = try sample(Key(7), params, count: 4000)
    #expect(isClose(square(draws).sumPerRow(), .ones([4000], dtype: .float64), 1e-12))
    let found = features(draws).mean(axis: 0)
    #expect(abs(found - expected).doubles.allSatisfy { $0 < 0.04 }, "\(name): \(found), expected \(expected)")
  }

  /// Rows of four decimals are on the sphere for a chain of layers too, and small concentrations are nearly
  /// uniform in float32.
  @Test func roundedRowsAndSmallConcentrations() throws {
    let layers = (0..<4).map { _ in SphereMobius() as any Bijection }
    let flow = Flow(Serial(layers), prior: UniformSphere())
    let (initial, logPDF, _) = try flow(Key(1), inputDim: 3)
    let params = initial.map { $0.dtype.isFloatingPoint ? 6 * $0 : $0 }
    let raw = Key(2).normal([2_000, 3])
    let unit = raw / sqrt(square(raw).sum(axis: 1, keepDims: true))
    let rows = floor(unit * 1e4 + 0.5) / 1e4
    #expect(try logPDF(params, rows).isFinite)
    let fisher = VonMisesFisher(direction: [0, 0, 1], concentration: 1e-7)
    let (fixed, _, sample) = try fisher(Key(3), inputDim: 3)
    let heights = Set(try sample(Key(4), fixed, count: 2_000).sliced(axis: 1, 2..<3).doubles)
    #expect(heights.count > 1_900, "\(heights.count)")
  }

  @Test func wrongDirectionsAreRefused() {
    #expect(throws: FlowError.self) { _ = try VonMisesFisher(direction: [0, 0, 0])(Key(0), inputDim: 3) }
    #expect(throws: FlowError.self) { _ = try VonMisesFisher()(Key(0), inputDim: 2) }
    #expect(throws: FlowError.self) { _ = try UniformSphere()(Key(0), inputDim: 1) }
  }

  /// Rounding puts 3π − 4π below −π. Its derivative is 1 as everywhere.
  @Test func wrappedAnglesHaveTheirDerivative() throws {
    let (params, wrap, _) = try WrappedAngles()(Key(0), inputDim: 1)
    let x = Tensor([[3 * .pi], [-.pi], [.pi], [0.5], [-5 * .pi]])
    let y = try wrap(params, x).outputs
    #expect(y.doubles.allSatisfy { abs($0) <= .pi + 1e-7 })
    let slope = try gradient(at: x) { try wrap(params, $0).outputs.sum() }
    #expect(slope.doubles == [1, 1, 1, 1, 1])
  }

  private static let onTorus: [(name: String, prior: any Distribution)] = [
    ("uniform", Uniform(from: -.pi, to: .pi)),
    ("von Mises", VonMises(location: [1, -2], concentration: [0.5, 2])),
    (
      "mixture of von Mises",
      Mixture(
        count: 2,
        of: VonMises(
          location: .learned(drawn: .normal(standardDeviation: 2)), concentration: .learned(from: 2)))
    ),
  ]

  @Test(arguments: onTorus.indices) func torusPreset(_ i: Int) throws {
    let (name, prior) = Self.onTorus[i]
    let (params, logPDF, sample) = try moved(Flow.torus(layers: 2, hidden: [5], bins: 4, prior: prior), 2)
    let line = midpoints(60, from: -.pi, to: .pi)
    let points = pairs(line, line)
    let mass = exp(try logPDF(params, points)).mean().item * 4 * .pi * .pi
    #expect(abs(mass - 1) < 3e-3, "\(name): \(mass)")
    // The other side of a cut, and a further turn, are the same place.
    let edge = Double.pi - 1e-12
    let cut = Tensor([[edge, 0.3], [1, edge], [0.5, -0.7]], dtype: .float64)
    let turn = 2 * Double.pi
    let there = cut + Tensor([[-turn, 0], [0, -turn], [turn, -2 * turn]], dtype: .float64)
    #expect(isClose(try logPDF(params, cut), try logPDF(params, there), 1e-9))
    let (draws, logDraws) = try sample.withLogPDF(Key(8), params, count: 500)
    #expect(abs(draws).doubles.allSatisfy { $0 <= .pi })
    #expect(isClose(try logPDF(params, draws), logDraws, 1e-8))
  }

  @Test func gaussianizationPreset() throws {
    let (params, logPDF, sample) = try moved(Flow.gaussianization(layers: 2, components: 3), 2)
    let (draws, logDraws) = try sample.withLogPDF(Key(8), params, count: 50)
    #expect(isClose(try logPDF(params, draws), logDraws, 1e-8))
  }
}
