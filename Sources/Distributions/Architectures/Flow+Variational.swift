import Bijections
import Networks
import Tensors

/// Preset flows for variational inference, with fast draws and log-densities of draws.
///
/// Each starts at or near its prior. `fit(_:to:by:...)` fits it to a `Target`.
extension Flow {
  /// Makes a flow of planar layers. Draws are in closed form; the density of a given point needs a root
  /// search per layer.
  ///
  /// Rezende & Mohamed 2015, arXiv 1505.05770.
  public static func planar(layers: Int = 16, prior: any Distribution = Normal()) -> Flow {
    sampling(layers, prior) { [Planar()] }
  }

  /// Makes a flow of radial layers, with both directions in closed form.
  ///
  /// Rezende & Mohamed 2015, arXiv 1505.05770.
  public static func radial(layers: Int = 16, prior: any Distribution = Normal()) -> Flow {
    sampling(layers, prior) { [Radial()] }
  }

  /// Makes a flow of Sylvester layers. Draws are in closed form; the density of a given point needs a root
  /// search per unit.
  ///
  /// van den Berg et al. 2018, arXiv 1803.05649.
  public static func sylvester(
    layers: Int = 8, units: Int = 8, prior: any Distribution = Normal()
  ) -> Flow {
    sampling(layers, prior) { [Sylvester(units: units)] }
  }

  /// Makes a flow of Hamiltonian layers over a target, for a fit to `target.withMomentum()`.
  ///
  /// It begins with a scale and a shift per number. A layer has a few leapfrog steps and a learned momentum.
  ///
  /// Chen, Xu & Campbell 2022, arXiv 2203.05723.
  public static func hamiltonian(
    over target: Target, layers: Int = 10, steps: Int = 3, stepSize: Double = 0.1,
    prior: any Distribution = Normal()
  ) -> Flow {
    let layer = Hamiltonian(steps: steps, stepSize: stepSize, logDensity: target.logDensity)
    return Flow(Inverted(Serial([ActNorm()] + repeating(layers) { [layer] })), prior: prior)
  }

  /// Makes a RealNVP for variational inference.
  ///
  /// It has pairs of affine couplings over the odd and the even numbers, with scales within e^±1, and then a
  /// scale and a shift per number.
  ///
  /// Dinh, Sohl-Dickstein & Bengio 2016, arXiv 1605.08803, as in NormalizingFlows.jl.
  public static func variationalRealNVP(
    layers: Int = 10, hidden: [Int] = [32, 32], scale: Affine.Scale = .bounded(1),
    prior: any Distribution = Normal()
  ) -> Flow {
    pairs(layers, Affine(scale: scale), hidden, prior)
  }

  /// Makes a neural spline flow for variational inference.
  ///
  /// It has pairs of rational-quadratic spline couplings over the odd and the even numbers, and then a scale
  /// and a shift per number. The splines are the identity beyond ±bound, so most of the prior should be
  /// within.
  ///
  /// Durkan et al. 2019, arXiv 1906.04032, as in NormalizingFlows.jl.
  public static func variationalNeuralSpline(
    layers: Int = 5, hidden: [Int] = [32, 32], bins: Int = 10, bound: Double = 8,
    prior: any Distribution = Normal()
  ) -> Flow {
    pairs(layers, RationalQuadraticSpline(bins: bins, bound: bound), hidden, prior)
  }

  private static func pairs(
    _ layers: Int, _ transformer: any Transformer, _ hidden: [Int], _ prior: any Distribution
  ) -> Flow {
    let net = MLP(hidden: hidden, activation: .leakyReLU())
    return sampling(layers, prior) {
      [Split.alternating, .alternating.swapped].map { Coupling(net, transformer, split: $0) }
    }
  }

  /// A flow whose draws pass through the layers forward, and then through a scale and a shift per number.
  private static func sampling(
    _ layers: Int, _ prior: any Distribution, _ block: () -> [any Bijection]
  ) -> Flow {
    Flow(Inverted(Serial(repeating(layers, block) + [ActNorm()])), prior: prior)
  }
}
