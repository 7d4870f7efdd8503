import Bijections
import Networks

/// Preset flows for vectors whose transformers integrate.
extension Flow {
  /// Makes an AUTM flow, whose layers are ActNorm, a learned linear map and an AUTM coupling.
  ///
  /// Cai & Cai 2022, arXiv 2206.02102.
  public static func autm(
    layers: Int = 6, hidden: [Int] = [64, 64], units: Int = 8, steps: Int = 16,
    prior: any Distribution = Normal()
  ) -> Flow {
    let transformer = AUTM(units: units, steps: steps, lipschitz: Double(steps))
    return stacked(layers, prior) {
      [ActNorm(), InvertibleLinear(), Coupling(MLP(hidden: hidden), transformer)]
    }
  }

  /// Makes an autoregressive AUTM flow, with densities in one pass and draws in D.
  ///
  /// Cai & Cai 2022, arXiv 2206.02102.
  public static func autoregressiveAUTM(
    layers: Int = 5, hidden: [Int] = [64, 64], units: Int = 8, steps: Int = 16,
    prior: any Distribution = Normal()
  ) -> Flow {
    let transformer = AUTM(units: units, steps: steps, lipschitz: Double(steps))
    return alternating(layers, prior) { [Autoregressive(MADE(hidden: hidden), transformer)] }
  }

  /// Makes an autoregressive UMNN flow, with densities in one pass and draws in D.
  ///
  /// Wehenkel & Louppe 2019, arXiv 1908.05164.
  public static func autoregressiveUMNN(
    layers: Int = 5, hidden: [Int] = [64, 64], units: Int = 8, nodes: Int = 50,
    prior: any Distribution = Normal()
  ) -> Flow {
    let transformer = UMNN(units: units, nodes: nodes)
    return alternating(layers, prior) { [Autoregressive(MADE(hidden: hidden), transformer)] }
  }
}
