import Bijections
import Networks

/// Preset coupling flows for vectors.
///
/// A preset is an ordinary `Flow`, so its `bijection` can be inspected, extended and used elsewhere.
extension Flow {
  /// Makes a RealNVP: affine couplings with reversed channels between them.
  ///
  /// The couplings are those of Dinh, Sohl-Dickstein & Bengio 2016, arXiv 1605.08803, whose flows are for
  /// images.
  public static func realNVP(
    layers: Int = 8, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    alternating(layers, prior) { [AffineCoupling(MLP(hidden: hidden), scale: scale)] }
  }

  /// Makes a NICE flow: additive couplings with reversed channels between them, a scale per channel, a
  /// logistic prior.
  ///
  /// The paper uses four couplings with five hidden layers of 1,000 units. Dinh, Krueger & Bengio 2014, arXiv
  /// 1410.8516.
  public static func nice(
    layers: Int = 4, hidden: [Int] = [64, 64], prior: any Distribution = Logistic()
  ) -> Flow {
    Flow(
      Serial(reversing(layers) { [AdditiveCoupling(MLP(hidden: hidden))] } + [ActNorm()]), prior: prior)
  }

  /// Makes a neural spline flow, whose layers are a learned linear map and a rational-quadratic spline
  /// coupling.
  ///
  /// Standardize the data, since the splines are the identity beyond ±bound. Durkan et al. 2019, arXiv
  /// 1906.04032, with plain networks instead of residual ones with dropout: see the article *Presets*.
  public static func neuralSpline(
    layers: Int = 8, hidden: [Int] = [128, 128], bins: Int = 8, bound: Double = 3,
    prior: any Distribution = Normal()
  ) -> Flow {
    let spline = RationalQuadraticSpline(bins: bins, bound: bound)
    return stacked(layers, prior) { [InvertibleLinear(), Coupling(MLP(hidden: hidden), spline)] }
  }

  /// Makes a neural spline flow with one network for all its couplings, which sees the stage as an input.
  ///
  /// Each stage is a learned linear map of its own and the shared rational-quadratic spline coupling. It has
  /// about 1/`layers` of the parameters of `neuralSpline` at the same cost, for little data and for training
  /// with noise. Standardize the data, since the splines are the identity beyond ±bound. See `Stages` for the
  /// paper.
  public static func sharedNeuralSpline(
    layers: Int = 8, hidden: [Int] = [128, 128], bins: Int = 8, bound: Double = 3,
    prior: any Distribution = Normal()
  ) -> Flow {
    let coupling = Coupling(MLP(hidden: hidden), RationalQuadraticSpline(bins: bins, bound: bound))
    return Flow(Stages(layers, sharing: coupling, after: [InvertibleLinear()]), prior: prior)
  }

  /// Makes a Glow for vectors, whose layers are ActNorm, a learned linear map and an affine coupling.
  ///
  /// The steps are those of Kingma & Dhariwal 2018, arXiv 1807.03039, whose flows are for images.
  public static func glowVector(
    layers: Int = 8, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    stacked(layers, prior) {
      [ActNorm(), InvertibleLinear(), AffineCoupling(MLP(hidden: hidden), scale: scale)]
    }
  }

  /// Makes a flow of the couplings of Flow++ for vectors. Its layers are ActNorm, a learned linear map and a
  /// mixture-of-logistics coupling.
  ///
  /// The paper's flow is for images: see `flowPlusPlusImages`. Ho et al. 2019, arXiv 1902.00275.
  public static func flowPlusPlus(
    layers: Int = 6, hidden: [Int] = [64, 64], components: Int = 8, prior: any Distribution = Normal()
  ) -> Flow {
    let mixture = MixtureOfLogistics(components: components)
    return stacked(layers, prior) { [ActNorm(), InvertibleLinear(), Coupling(MLP(hidden: hidden), mixture)] }
  }

  /// Repeats a block of layers.
  static func repeating(_ layers: Int, _ block: () -> [any Bijection]) -> [any Bijection] {
    (0..<layers).flatMap { _ in block() }
  }

  /// Makes a flow of repeated blocks of layers.
  static func stacked(_ layers: Int, _ prior: any Distribution, _ block: () -> [any Bijection]) -> Flow {
    Flow(Serial(repeating(layers, block)), prior: prior)
  }

  /// Repeats a block of layers with reversals between the blocks.
  static func reversing(_ layers: Int, _ block: () -> [any Bijection]) -> [any Bijection] {
    (0..<layers).flatMap { i in block() + (i < layers - 1 ? [Reverse()] : []) }
  }

  /// Makes a flow of repeated blocks of layers with reversals between the blocks.
  static func alternating(_ layers: Int, _ prior: any Distribution, _ block: () -> [any Bijection]) -> Flow {
    Flow(Serial(reversing(layers, block)), prior: prior)
  }
}
