import Bijections
import Networks
import Tensors

/// Ready-made flows for variational inference: draws with their log-density are the cheap direction.
///
/// Each starts at its prior or near it, and is fitted by `fit(_:to:by:...)` to a `Target`.
extension Flow {
  /// Planar layers, closed in the direction of sampling; densities of given points take a bracketed solver a layer.
  ///
  /// Rezende & Mohamed 2015, arXiv 1505.05770.
  public static func planar(layers: Int = 16, prior: any Distribution = Normal()) -> Flow {
    sampling(repeating(layers) { [Planar()] }, prior)
  }

  /// Radial layers, closed in both directions.
  ///
  /// Rezende & Mohamed 2015, arXiv 1505.05770.
  public static func radial(layers: Int = 16, prior: any Distribution = Normal()) -> Flow {
    sampling(repeating(layers) { [Radial()] }, prior)
  }

  /// Sylvester layers, closed in the direction of sampling; densities of given points take a solver a unit.
  ///
  /// van den Berg et al. 2018, arXiv 1803.05649.
  public static func sylvester(
    layers: Int = 8, units: Int = 8, prior: any Distribution = Normal()
  ) -> Flow {
    sampling(repeating(layers) { [Sylvester(units: units)] }, prior)
  }

  /// A scale and a shift a number, then Hamiltonian layers over a target, for `target.withMomentum()`: each a few leapfrog
  /// steps and a learned momentum.
  ///
  /// Chen, Xu & Campbell 2022, arXiv 2203.05723.
  public static func hamiltonian(
    over target: Target, layers: Int = 10, steps: Int = 3, stepSize: Double = 0.1,
    prior: any Distribution = Normal()
  ) -> Flow {
    let layer = Hamiltonian(steps: steps, stepSize: stepSize, logDensity: target.logDensity)
    return Flow(Inverted(Serial([ActNorm()] + repeating(layers) { [layer] }.layers)), prior: prior)
  }

  /// RealNVP for variational inference: pairs of affine couplings over the odd and the even numbers, scales within e^±1 each, then
  /// a scale and a shift a number.
  ///
  /// Dinh, Sohl-Dickstein & Bengio 2016, arXiv 1605.08803, as in NormalizingFlows.jl.
  public static func variationalRealNVP(
    layers: Int = 10, hidden: [Int] = [32, 32], scale: Affine.Scale = .bounded(1),
    prior: any Distribution = Normal()
  ) -> Flow {
    pairs(layers, Affine(scale: scale), hidden, prior)
  }

  /// Neural spline flow for variational inference: pairs of rational-quadratic spline couplings over the odd and the even
  /// numbers, then a scale and a shift a number.
  ///
  /// Beyond ±bound the splines are the identity; the prior's numbers should stay within.
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
    let halves: [Split] = [.alternating, .alternating.swapped]
    return sampling(
      repeating(layers) { halves.map { Coupling(net, transformer, split: $0) } }, prior)
  }

  /// A flow whose draws go through the layers forwards, then through a scale and a shift a number.
  private static func sampling(_ layers: Serial, _ prior: any Distribution) -> Flow {
    Flow(Inverted(Serial(layers.layers + [ActNorm()])), prior: prior)
  }
}
