import Bijections
import Randomness
import Tensors

/// A distribution of independent variables of Student's t distribution, standard or with a location and a
/// scale each.
///
/// log p(x) = −½(ν + 1) Σ log(1 + z²/ν) − Σ logScale − D log N with z = (x − location) · exp(−logScale) and
/// log N = ½ log(νπ) + log Γ(ν/2) − log Γ((ν + 1)/2), for a sample of D numbers.
///
/// Draws: location + exp(logScale) · t with t = √(ν (U^(−2/ν) − 1)) · cos 2πV for uniform U and V. This polar
/// form is exact for every ν and needs no rejection. Both cost O(D). In float32, draws can overflow if ν <
/// 0.2.
///
/// The degrees of freedom ν are a constant of the distribution. Parameters, domain and errors: see
/// `LocationScaleFamily`; `mismatch` for a ν that the dtype cannot hold. A context is ignored.
///
/// Bailey 1994, *Polar generation of random variates with the t-distribution*, Math. Comp. 62, eq. 2.
public struct StudentT: LocationScaleFamily {
  /// The degrees of freedom ν.
  public let degreesOfFreedom: Double
  /// The location and the scale, standard, given or learned.
  public let locationScale: LocationScale

  /// Makes the standard distribution, or a learned one with `.learned`.
  ///
  /// - Precondition: The degrees of freedom are positive and finite.
  public init(degreesOfFreedom: Double, _ locationScale: LocationScale = .standard) {
    require(
      degreesOfFreedom > 0 && degreesOfFreedom.isFinite,
      "degrees of freedom are positive and finite, got \(degreesOfFreedom)")
    self.degreesOfFreedom = degreesOfFreedom
    self.locationScale = locationScale
  }
  /// Makes a distribution with a location and a scale, each given or learned.
  ///
  /// - Precondition: The degrees of freedom are positive and finite.
  public init(degreesOfFreedom: Double, location: Parameter, scale: Parameter) {
    self.init(degreesOfFreedom: degreesOfFreedom, LocationScale(location: location, scale: scale))
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    try site.check("degrees of freedom", degreesOfFreedom, of: "StudentT")
    return try initializeFamily(key, at: site)
  }

  /// The log-normalizer ½ log(νπ) + log Γ(ν/2) − log Γ((ν + 1)/2).
  public var logNormalizer: Double {
    0.5 * logarithm(degreesOfFreedom * .pi) - logGammaHalfStep(degreesOfFreedom / 2)
  }
  /// The log-kernel −½(ν + 1) Σ log(1 + z²/ν).
  public func logKernel(_ z: Tensor) -> Tensor {
    -0.5 * (degreesOfFreedom + 1) * logOnePlusSquare(z / degreesOfFreedom.squareRoot()).sumPerRow()
  }
  /// Draws from the standard distribution.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor {
    // With a = -(2/ν) log U the radius is √ν √(eᵃ - 1) = √ν e^(a/2) √(1 - e^(-a)), whose exponential
    // overflows later.
    let a = 2 / degreesOfFreedom * key.folded(in: 0).exponential(shape, dtype: dtype)
    let radius = degreesOfFreedom.squareRoot() * exp(0.5 * a) * sqrt(-expm1(-a))
    return radius * cos(2 * .pi * key.folded(in: 1).uniform(shape, dtype: dtype))
  }
}

/// Computes log Γ(x + ½) − log Γ(x) for x > 0 to 10⁻¹⁵, without the cancellation of the difference for large
/// x.
///
/// The recurrence Γ(x + ½) / Γ(x) = x / (x + ½) · Γ(x + 3/2) / Γ(x + 1) raises x to 16. There six terms of
/// the asymptotic series ½ log x − 1/(8x) + 1/(192x³) − 1/(640x⁵) + 17/(14336x⁷) − 31/(18432x⁹) + ... are
/// enough.
func logGammaHalfStep(_ x: Double) -> Double {
  var (x, factor) = (x, 1.0)
  while x < 16 {
    factor *= x / (x + 0.5)
    x += 1
  }
  let q = 1 / (x * x)
  let series = (-1.0 / 8 + q * (1.0 / 192 + q * (-1.0 / 640 + q * (17.0 / 14336 - q * 31.0 / 18432)))) / x
  return logarithm(factor) + 0.5 * logarithm(x) + series
}

/// Computes the natural logarithm of a constant by the library's own kernel.
func logarithm(_ x: Double) -> Double { log(Tensor(x, dtype: .float64)).item }
