import Bijections
import Networks
import Tensors

/// Ready-made autoregressive flows for vectors.
extension Flow {
  /// Masked autoregressive flow: densities in one pass, draws in D.
  ///
  /// The paper has five or ten layers of two hidden layers of up to 1,024 units. Papamakarios, Pavlakou & Murray 2017,
  /// arXiv 1705.07057.
  public static func maf(
    layers: Int = 5, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    alternating(layers, prior) { [Autoregressive(MADE(hidden: hidden), Affine(scale: scale))] }
  }

  /// Inverse autoregressive flow: draws in one pass, densities in D; for variational inference.
  ///
  /// Kingma et al. 2016, arXiv 1606.04934.
  public static func iaf(
    layers: Int = 5, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    alternating(layers, prior) { [Inverted(Autoregressive(MADE(hidden: hidden), Affine(scale: scale)))] }
  }

  /// Neural spline flow by masked networks: densities in one pass, draws in D.
  ///
  /// Data should be standardized: beyond ±bound the splines are the identity. Durkan et al. 2019, arXiv 1906.04032.
  public static func autoregressiveNeuralSpline(
    layers: Int = 5, hidden: [Int] = [128, 128], bins: Int = 8, bound: Double = 3,
    prior: any Distribution = Normal()
  ) -> Flow {
    let spline = RationalQuadraticSpline(bins: bins, bound: bound)
    return Flow(
      repeating(layers) { [InvertibleLinear(), Autoregressive(MADE(hidden: hidden), spline)] }, prior: prior)
  }

  /// A masked autoregressive layer, ActNorm and a learned linear map in each layer, as jax-flows' research folder has it.
  public static func mafGlow(
    layers: Int = 5, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    Flow(
      repeating(layers) {
        [Autoregressive(MADE(hidden: hidden), Affine(scale: scale)), ActNorm(), InvertibleLinear()]
      }, prior: prior)
  }
}
