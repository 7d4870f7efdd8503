import Bijections
import Networks

/// Preset residual flows for vectors.
extension Flow {
  /// Makes a residual flow, whose layers are ActNorm and a residual layer.
  ///
  /// Densities take D tangents of each network and O(D³); draws take some more passes. The coefficient bounds
  /// the singular values of each weight. In many dimensions train with `.rouletteLikelihood()`.
  ///
  /// Chen, Behrmann, Duvenaud & Jacobsen 2019, arXiv 1906.02735. The paper uses 100 layers with four hidden
  /// layers of 128 units for toy data.
  public static func residual(
    layers: Int = 16, hidden: [Int] = [64, 64], coefficient: Double = 0.9, prior: any Distribution = Normal()
  ) -> Flow {
    stacked(layers, prior) {
      [ActNorm(), ResidualFlow(SpectralMLP(hidden: hidden, coefficient: coefficient))]
    }
  }
}
