import Bijections
import Networks
import Tensors

/// Preset autoregressive flows for vectors.
extension Flow {
  /// Makes a masked autoregressive flow (MAF), with densities in one pass and draws in D.
  ///
  /// Features are in their order, reversed after each layer. The paper has a batch normalization behind each
  /// layer too: `batchNorm: BatchNorm()`. Then fit with the flow of `BatchNorm(mode: .evaluation)` as the
  /// `evaluation` of `fit`. The sizes are smaller than the paper's: see the article *Presets*.
  ///
  /// Papamakarios, Pavlakou & Murray 2017, arXiv 1705.07057.
  public static func maf(
    layers: Int = 5, hidden: [Int] = [64, 64], activation: Activation = .relu,
    scale: Affine.Scale = .bounded(2), batchNorm: BatchNorm? = nil, prior: any Distribution = Normal()
  ) -> Flow {
    alternating(layers, prior) { masked(MADE(hidden: hidden, activation: activation), scale, batchNorm) }
  }

  /// Makes a masked autoregressive flow over an autoregressive mixture of normals (MAF MoG), with densities
  /// in one pass and draws in D.
  ///
  /// It is a `maf` whose base is an `AutoregressiveMixture` in the opposite order of the last layer's.
  /// Without layers it is MADE MoG. The paper has 10 components and a batch normalization behind each layer.
  ///
  /// Papamakarios, Pavlakou & Murray 2017, arXiv 1705.07057, section 4.1.
  public static func mafMixture(
    layers: Int = 5, hidden: [Int] = [64, 64], components: Int = 10, activation: Activation = .relu,
    scale: Affine.Scale = .bounded(2), batchNorm: BatchNorm? = nil
  ) -> Flow {
    let network = MADE(hidden: hidden, activation: activation)
    let blocks = repeating(layers) { masked(network, scale, batchNorm) + [Reverse()] }
    return Flow(Serial(blocks), prior: AutoregressiveMixture(network, components: components))
  }

  private static func masked(
    _ network: MADE, _ scale: Affine.Scale, _ batchNorm: BatchNorm?
  ) -> [any Bijection] {
    [Autoregressive(network, Affine(scale: scale))] + [batchNorm].compactMap { $0 }
  }

  /// Makes an inverse autoregressive flow (IAF), with draws in one pass and densities in D, for variational
  /// inference.
  ///
  /// Its steps are affine and start as the identity. Those of Kingma et al. 2016, arXiv 1606.04934, are
  /// gated.
  public static func iaf(
    layers: Int = 5, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    alternating(layers, prior) { [Inverted(Autoregressive(MADE(hidden: hidden), Affine(scale: scale)))] }
  }

  /// Makes an autoregressive neural spline flow, with densities in one pass and draws in D.
  ///
  /// Standardize the data, since the splines are the identity beyond ±bound. Durkan et al. 2019, arXiv
  /// 1906.04032, with plain networks instead of residual ones with dropout: see the article *Presets*.
  public static func autoregressiveNeuralSpline(
    layers: Int = 5, hidden: [Int] = [128, 128], bins: Int = 8, bound: Double = 3,
    prior: any Distribution = Normal()
  ) -> Flow {
    let spline = RationalQuadraticSpline(bins: bins, bound: bound)
    return stacked(layers, prior) { [InvertibleLinear(), Autoregressive(MADE(hidden: hidden), spline)] }
  }

  /// Makes a flow of autoregressive splines over a mixture of normal distributions, the default for tables.
  ///
  /// Each layer but the last is followed by a random permutation of the features. The splines come before any
  /// linear map, so they see the shape of each column. They start as the identity, and with data the normals
  /// start as the mixture that expectation-maximization fits. So training starts at that mixture: a normal
  /// distribution with full covariance, if there is one component.
  ///
  /// A last component has heavy tails: Student's t distribution with `tails` degrees of freedom, independent
  /// for each feature, with a weight of 0.001 at first. So a row far from all others costs some nats, not
  /// thousands.
  ///
  /// Standardize the data, since the splines are the identity beyond ±bound. Without layers it is the
  /// mixture. With `regression` the flow models the residuals of a linear regression on the context.
  public static func splineMixture(
    layers: Int = 3, hidden: [Int] = [128, 128], bins: Int = 8, bound: Double = 4, components: Int = 1,
    shrinkage: Double = 10, regression: Bool = false, tails: Double = 4
  ) -> Flow {
    let spline = RationalQuadraticSpline(bins: bins, bound: bound)
    let blocks = repeating(layers) { [Autoregressive(MADE(hidden: hidden), spline), Shuffle()] }
    let residuals: [any Bijection] = regression ? [ContextRegression(), ActNorm()] : []
    let prior = Mixture(
      [
        GaussianMixture(components: components, shrinkage: shrinkage),
        StudentT(degreesOfFreedom: tails, .learned),
      ], weights: .learned(from: Tensor([0.999, 0.001], dtype: .float64)))
    return Flow(Serial(residuals + blocks.dropLast()), prior: prior)
  }

  /// Makes a flow whose layers are a masked autoregressive layer, ActNorm and a learned linear map, as in
  /// jax-flows.
  public static func mafGlow(
    layers: Int = 5, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    stacked(layers, prior) {
      [Autoregressive(MADE(hidden: hidden), Affine(scale: scale)), ActNorm(), InvertibleLinear()]
    }
  }
}
