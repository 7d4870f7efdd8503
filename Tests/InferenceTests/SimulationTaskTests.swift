import Distributions
import ExampleSupport
import Randomness
import Tensors
import Testing

@testable import Inference

/// The tasks of the benchmark against formulas of their own.
@Suite struct SimulationTaskTests {
  /// Draws of the true posterior of two moons explain the data by a point of the half circle, and both moons
  /// weigh the same.
  @Test func referencesOfTwoMoonsExplainTheData() throws {
    let task = try SimulationTask.twoMoons()
    for observed in task.observations {
      let theta = try task.reference(Key(0), observed, 800)
      #expect(theta.shape == [800, 2] && abs(theta).max(axis: 0).doubles.allSatisfy { $0 < 1 })
      let (values, x) = (theta.doubles, observed.doubles)
      var (upper, radii): (Int, [Double]) = (0, [])
      for row in 0..<800 {
        let (a, b) = (values[2 * row], values[2 * row + 1])
        let p = (x[0] + abs(a + b) / 2.0.squareRoot() - 0.25, x[1] - (b - a) / 2.0.squareRoot())
        #expect(p.0 > -1e-9)
        radii.append((p.0 * p.0 + p.1 * p.1).squareRoot())
        upper += a + b > 0 ? 1 : 0
      }
      #expect(abs(radii.reduce(0, +) / 800 - 0.1) < 0.002 && radii.max()! < 0.15)
      #expect(abs(Double(upper) / 800 - 0.5) < 0.08)
    }
  }

  /// Parameters of the prior and their data are a pair of the joint model: the true posterior given the data
  /// ranks them uniformly.
  @Test func referencesOfTwoMoonsAreCalibrated() throws {
    let task = try SimulationTask.twoMoons()
    let theta = try task.prior.sample(Key(1), count: 150)
    let data = try task.simulate(Key(2), theta)
    var draws: [Tensor] = []
    for i in 0..<150 { draws.append(try task.reference(Key(3).folded(in: i), data[i..<i + 1], 30)) }
    let levels = tarpLevels(truths: theta, draws: stack(draws), key: Key(4))
    #expect(PosteriorCalibration.distance(levels.doubles) < 1.63)
  }

  /// The likelihood of SLCP is that of four normal points.
  @Test func theLikelihoodOfSLCPIsNormal() throws {
    let task = try SimulationTask.slcp()
    let theta = Tensor([[0.7, -2.9, -0.9, 1.3, 0.4], [-1, 2, 2.5, -0.6, -2]], dtype: .float64)
    let found = SimulationTask.slcpLogLikelihood(theta, task.observations[0]).doubles
    for row in 0..<2 {
      let t = theta[row].doubles
      let (s1, s2) = (t[2] * t[2], t[3] * t[3])
      let rho = tanh(Tensor(t[4], dtype: .float64)).item
      let normal = MultivariateNormal(
        mean: .fixed(Tensor([t[0], t[1]], dtype: .float64)),
        covariance: .fixed(Tensor([[s1 * s1, rho * s1 * s2], [rho * s1 * s2, s2 * s2]], dtype: .float64)))
      let (params, logPDF, _) = try normal(Key(0), inputDim: 2, dtype: .float64)
      let points = task.observations[0].cast(to: .float64).reshaped(to: [4, 2])
      #expect(abs(found[row] / (try logPDF(params, points)).sum().item - 1) < 1e-9)
    }
  }

  /// Simulations of SLCP have the mean and the covariance that their parameters say.
  @Test func simulationsOfSLCPHaveTheirMoments() throws {
    let theta = Tensor([[1, -2, 1.2, -0.8, 0.5]])
    let x = try SimulationTask.slcp().simulate(Key(5), theta.broadcast(to: [4_000, 5])).cast(to: .float64)
    let points = x.reshaped(to: [16_000, 2])
    let mean = points.mean(axis: 0)
    let centered = points - mean
    let covariance = (matmul(centered, centered, transposeA: true) / 16_000).doubles
    let (s1, s2, rho) = (1.44, 0.64, tanh(Tensor(0.5, dtype: .float64)).item)
    #expect(abs(mean.doubles[0] - 1) < 0.05 && abs(mean.doubles[1] + 2) < 0.03)
    #expect(abs(covariance[0] / (s1 * s1) - 1) < 0.06 && abs(covariance[3] / (s2 * s2) - 1) < 0.06)
    #expect(abs(covariance[1] / (s1 * s2) - rho) < 0.04)
  }
}
