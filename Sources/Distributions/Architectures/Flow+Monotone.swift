import Bijections
import Networks
import Tensors

/// Preset autoregressive flows for vectors whose transformers are inverted numerically.
extension Flow {
  /// Makes a neural autoregressive flow (NAF) of deep sigmoidal transformers, with densities in one pass.
  ///
  /// Draws take D passes, and a root search for each number. Features are reversed after each layer.
  ///
  /// Huang, Krueger, Lacoste & Courville 2018, arXiv 1804.00779. The sizes are those of the authors' program
  /// for its deep sigmoidal flows: see the article *Presets*.
  ///
  /// - Precondition: There is at least one unit and one sigmoidal layer.
  public static func neuralAutoregressive(
    layers: Int = 5, hidden: [Int] = [100], activation: Activation = .elu, units: Int = 16,
    sigmoidalLayers: Int = 1, prior: any Distribution = Normal()
  ) -> Flow {
    monotone(layers, MADE(hidden: hidden, activation: activation), prior) {
      DeepSigmoidal(units: units, layers: sigmoidalLayers)
    }
  }

  /// Makes a sum-of-squares polynomial flow (SOS), with densities in one pass.
  ///
  /// Draws take D passes, and a root search for each number. Standardize the data: polynomials grow fast.
  ///
  /// Jaini, Selby & Yu 2019, arXiv 1905.02325. The sizes are ours.
  ///
  /// - Precondition: There is at least one polynomial, and the degree is not negative.
  public static func sumOfSquares(
    layers: Int = 3, hidden: [Int] = [64, 64], polynomials: Int = 3, degree: Int = 4,
    prior: any Distribution = Normal()
  ) -> Flow {
    monotone(layers, MADE(hidden: hidden), prior) { SumOfSquares(polynomials: polynomials, degree: degree) }
  }

  /// Makes an autoregressive flow of Bernstein polynomials, with densities in one pass.
  ///
  /// Draws take D passes, and a root search for each number. Standardize the data: beyond ±bound the maps are
  /// straight lines.
  ///
  /// Ramasinghe, Fernando, Khan & Barnes 2021, arXiv 2102.03509. The sizes are ours.
  ///
  /// - Precondition: The degree is 3 to 100, and the bound is positive.
  public static func bernstein(
    layers: Int = 3, hidden: [Int] = [64, 64], degree: Int = 16, bound: Double = 5,
    prior: any Distribution = Normal()
  ) -> Flow {
    monotone(layers, MADE(hidden: hidden), prior) { BernsteinPolynomial(degree: degree, bound: bound) }
  }

  private static func monotone(
    _ layers: Int, _ network: MADE, _ prior: any Distribution, _ transformer: () -> any Transformer
  ) -> Flow {
    let transformer = transformer()
    return alternating(layers, prior) { [Autoregressive(network, transformer)] }
  }
}
