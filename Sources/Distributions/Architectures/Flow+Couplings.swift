import Bijections
import Networks
import Tensors

/// Ready-made flows of couplings for vectors: one line gives a good flow for D-dimensional data.
///
/// Each is a `Flow` like any other: its `bijection` can be inspected, extended or put elsewhere.
extension Flow {
  /// RealNVP: affine couplings with the channels reversed between them.
  ///
  /// Dinh, Sohl-Dickstein & Bengio 2016, arXiv 1605.08803.
  public static func realNVP(
    layers: Int = 8, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    alternating(layers, prior) { [AffineCoupling(MLP(hidden: hidden), scale: scale)] }
  }

  /// NICE: additive couplings with the channels reversed between them, then one scale a channel, over a logistic prior.
  ///
  /// The paper has four couplings of five hidden layers of 1,000 units. Dinh, Krueger & Bengio 2014, arXiv 1410.8516.
  public static func nice(
    layers: Int = 4, hidden: [Int] = [64, 64], prior: any Distribution = Logistic()
  ) -> Flow {
    Flow(
      Serial(reversing(layers) { [AdditiveCoupling(MLP(hidden: hidden))] } + [ActNorm()]), prior: prior)
  }

  /// Neural spline flow by couplings: a learned linear map, then a rational-quadratic spline coupling, in each layer.
  ///
  /// Data should be standardized: beyond ±bound the splines are the identity. Durkan et al. 2019, arXiv 1906.04032.
  public static func neuralSpline(
    layers: Int = 8, hidden: [Int] = [128, 128], bins: Int = 8, bound: Double = 3,
    prior: any Distribution = Normal()
  ) -> Flow {
    let spline = RationalQuadraticSpline(bins: bins, bound: bound)
    return Flow(
      repeating(layers) { [InvertibleLinear(), Coupling(MLP(hidden: hidden), spline)] }, prior: prior)
  }

  /// Glow for vectors: ActNorm, a learned linear map and an affine coupling in each layer.
  ///
  /// Kingma & Dhariwal 2018, arXiv 1807.03039.
  public static func glowVector(
    layers: Int = 8, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    Flow(
      repeating(layers) {
        [ActNorm(), InvertibleLinear(), AffineCoupling(MLP(hidden: hidden), scale: scale)]
      },
      prior: prior)
  }

  /// Flow++ for vectors: ActNorm, a learned linear map and a mixture-of-logistics coupling in each layer.
  ///
  /// Ho et al. 2019, arXiv 1902.00275.
  public static func flowPlusPlus(
    layers: Int = 6, hidden: [Int] = [64, 64], components: Int = 8, prior: any Distribution = Normal()
  ) -> Flow {
    let mixture = MixtureOfLogistics(components: components)
    return Flow(
      repeating(layers) { [ActNorm(), InvertibleLinear(), Coupling(MLP(hidden: hidden), mixture)] },
      prior: prior)
  }

  /// The same layers again and again.
  static func repeating(_ layers: Int, _ block: () -> [any Bijection]) -> Serial {
    Serial((0..<layers).flatMap { _ in block() })
  }

  /// The same layers again and again, reversals between them.
  static func reversing(_ layers: Int, _ block: () -> [any Bijection]) -> [any Bijection] {
    (0..<layers).flatMap { i in block() + (i < layers - 1 ? [Reverse()] : []) }
  }

  static func alternating(_ layers: Int, _ prior: any Distribution, _ block: () -> [any Bijection]) -> Flow {
    Flow(Serial(reversing(layers, block)), prior: prior)
  }
}
