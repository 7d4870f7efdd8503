import Bijections
import Networks
import Randomness
import Tensors

/// Preset neural spline flows with the residual networks of their paper.
extension Flow {
  /// Makes a neural spline flow of couplings with residual networks: RQ-NSF (C) for tables.
  ///
  /// A step is a linear map and a rational-quadratic spline coupling, and another linear map ends the flow.
  /// The numbers that pass a coupling get splines with parameters of their own. Linear maps start as random
  /// permutations. Fit by `Dropout()` to drop units of the networks with probability `dropout`. The article
  /// *Presets* has the paper's settings.
  ///
  /// Standardize the data, since the splines are the identity beyond ±bound. Durkan et al. 2019, arXiv
  /// 1906.04032, section 5.1.
  public static func residualNeuralSpline(
    steps: Int = 10, width: Int = 128, blocks: Int = 2, dropout: Double = 0.1, bins: Int = 8,
    bound: Double = 3, prior: any Distribution = Normal()
  ) -> Flow {
    let network = ResidualMLP(width: width, blocks: blocks, dropout: dropout)
    let spline = RationalQuadraticSpline(bins: bins, bound: bound)
    return linear(steps, prior) { [Coupling(network, spline), FirstHalf(Unconditional(spline))] }
  }

  /// Makes an autoregressive neural spline flow with residual masked networks: RQ-NSF (AR) for tables.
  ///
  /// A step is a linear map and an autoregressive rational-quadratic spline, and another linear map ends the
  /// flow. Densities take one pass, draws D. Fit by `Dropout()` to drop units of the networks.
  ///
  /// Standardize the data, since the splines are the identity beyond ±bound. Durkan et al. 2019, arXiv
  /// 1906.04032, section 5.1.
  public static func autoregressiveResidualNeuralSpline(
    steps: Int = 10, width: Int = 128, blocks: Int = 2, dropout: Double = 0.1, bins: Int = 8,
    bound: Double = 3, prior: any Distribution = Normal()
  ) -> Flow {
    let network = MADE(width: width, residualBlocks: blocks, dropout: dropout)
    let spline = RationalQuadraticSpline(bins: bins, bound: bound)
    return linear(steps, prior) { [Autoregressive(network, spline)] }
  }

  private static func linear(
    _ steps: Int, _ prior: any Distribution, _ layers: () -> [any Bijection]
  ) -> Flow {
    let map = InvertibleLinear(start: .permutation)
    return Flow(Serial(repeating(steps) { [map] + layers() } + [map]), prior: prior)
  }
}

/// A bijection of the first half of the numbers, rounded down, which pass a coupling.
private struct FirstHalf: Bijection {
  let bijection: any Bijection

  init(_ bijection: any Bijection) { self.bijection = bijection }

  func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let half = site.channels / 2
    return try site.split(
      "FirstHalf",
      [(bijection, key, nil, [0..<half]), (Serial(), key, nil, [half..<site.channels])])
  }
}
