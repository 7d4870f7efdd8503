import Tensors

/// An increasing Bernstein polynomial within ±bound, and straight lines beyond.
///
/// y = Σᵢ bᵢ(u) θᵢ with u = (x + B) / 2B, bᵢ(u) = (M over i) uⁱ (1 − u)ᴹ⁻ⁱ, i = 0 … M, and rising
/// coefficients θ. The first two differences of θ are equal, and so are the last two. So the second
/// derivative vanishes at ±B, and the lines continue the polynomial smoothly.
///
/// log|det| = Σ log f′(x) with f′ = M / 2B · Σᵢ bᵢ(u) (θᵢ₊₁ − θᵢ), where bᵢ has degree M − 1. All terms are
/// positive. O(n M).
///
/// Inverse: numerically by `inverseOfMonotone`; about 10 times the cost.
///
/// Raw parameters, M − 1 per number, one number after the other: a shift, and the M − 2 free differences,
/// which are a softplus above a minimum. Zeros give the identity.
///
/// Domain: all reals.
///
/// Ramasinghe, Fernando, Khan & Barnes 2021, *Robust normalizing flows using Bernstein-type polynomials*,
/// arXiv 2102.03509, eq. 3; the ends follow Arpogaus et al. 2022, arXiv 2204.13939, as in zuko.
public struct BernsteinPolynomial: NumberwiseTransformer {
  private let degree: Int
  private let bound: Double
  private let minimumSlope: Double
  /// The offset that makes a raw difference of 0 the slope 1.
  private let offset: Double

  /// Makes a polynomial.
  ///
  /// - Parameters:
  ///   - degree: The degree M.
  ///   - bound: The end of the interval ±bound. The polynomial need not map it to itself.
  ///   - minimumSlope: A lower bound of all derivatives.
  /// - Precondition: The degree is 3 to 100, the bound is positive, and the slope is between 0 and 1.
  public init(degree: Int = 16, bound: Double = 5, minimumSlope: Double = 1e-3) {
    // Products of larger binomial coefficients and powers overflow in float32.
    require((3...100).contains(degree), "BernsteinPolynomial: a degree of 3 to 100, got \(degree)")
    require(bound > 0 && bound.isFinite, "BernsteinPolynomial: the bound must be positive, got \(bound)")
    require(
      minimumSlope > 0 && minimumSlope < 1, "BernsteinPolynomial: 0 < minimumSlope < 1, got \(minimumSlope)")
    (self.degree, self.bound, self.minimumSlope) = (degree, bound, minimumSlope)
    offset = log(expm1(Tensor(1 - minimumSlope, dtype: .float64))).item
  }

  public var name: String { "BernsteinPolynomial" }
  public var parameterCount: Int { degree - 1 }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    if !isInverse {
      let (y, slope) = polynomial(numbers, raw)
      return (y, log(slope))
    }
    let x = inverseOfMonotone(at: numbers, given: [raw]) { x, raw in polynomial(x, raw[0]) }
    return (x, log(polynomial(x, raw).slope))
  }

  /// Computes y and dy/dx.
  ///
  /// The coefficients are θ₀ = t − B and θᵢ₊₁ = θᵢ + sᵢ · 2B/M for slopes s and a shift t. Slopes of 1 give
  /// y = x + t. Beyond ±B the polynomial is evaluated at the end and continued by its slope there.
  private func polynomial(_ x: Tensor, _ raw: Tensor) -> (value: Tensor, slope: Tensor) {
    let step = 2 * bound / Double(degree)
    let free = minimumSlope + softplus(raw.columns(1..<degree - 1) + offset)
    let last = degree - 2
    let slopes = concatenate(
      [free.columns(0..<1), free, free.columns(last - 1..<last)], axis: 1)
    let first = raw.columns(0..<1) - bound
    let coefficients = concatenate([first, first + step * slopes.cumulativeSum(axis: 1)], axis: 1)
    let inside = minimum(maximum(x, -bound), bound)
    let u = (inside + bound) / (2 * bound)
    let slope = (basis(u, degree - 1) * slopes).sum(axis: 1)
    return ((basis(u, degree) * coefficients).sum(axis: 1) + slope * (x - inside), slope)
  }

  /// Computes the basis polynomials of a degree at u [N], [N, degree + 1].
  private func basis(_ u: Tensor, _ degree: Int) -> Tensor {
    func powers(_ u: Tensor) -> [Tensor] {
      (0..<degree).reduce(into: [Tensor.ones(u.shape, dtype: u.dtype)]) { powers, i in
        powers.append(powers[i] * u)
      }
    }
    let (up, down) = (powers(u), powers(1 - u))
    var binomial = 1.0
    return stack(
      (0...degree).map { i in
        defer { binomial *= Double(degree - i) / Double(i + 1) }
        return binomial.rounded() * up[i] * down[degree - i]
      }, axis: 1)
  }
}
