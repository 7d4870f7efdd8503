import Tensors

/// An integral-based transformer (AUTM): each number follows a differential equation of its own for a unit of
/// time.
///
/// y = v(1) with v(0) = x and v′ = g(v, t) = Σⱼ (sⱼ / bⱼ) tanh(bⱼ v + cⱼ + eⱼ t) + p v + q, by `steps`
/// steps of the classical Runge-Kutta method. g needs no sign: the flow of every Lipschitz g increases
/// with x.
///
/// log|det| = Σ log dy/dx of the map that runs, not of the exact flow: s = dv/dx follows s′ = ∂g/∂v s in
/// the same steps. Both are close for a smooth g. Their difference falls with steps⁻⁴. O(n J) per
/// evaluation, four evaluations per step. The gradient replays the steps, so that its memory does not grow
/// with their number. With more than 256 steps or 64 units no kernel runs, and memory grows with both.
///
/// Inverse: the root of the map that runs, by a bracketed Newton iteration (`inverseOfMonotone`), to the last
/// bits. It costs about 10 times as much.
///
/// Raw parameters, 4J + 2 per number, one number after the other: J of s, J of b, J of c, J of e, p and q. s
/// and p are r / √(1 + (J + 1) |r|² / Λ²) of their raw values r. So |∂g/∂v| ≤ Σ |s| + |p| < Λ = `lipschitz`.
/// b = 0.1 + softplus(raw), with an offset such that 0 gives 1. c is the raw value plus a constant; the J
/// constants are evenly spaced from −2 to 2. Zeros give the identity. Its units differ, so they can learn
/// apart.
///
/// Domain: all reals.
///
/// Cai & Cai 2022, *AUTM flow: atomic unrestricted time machine for monotonic normalizing flows*, arXiv
/// 2206.02102. The form of g is our choice. A polynomial g of degree 2 or more would leave the reals in
/// finite time.
public struct AUTM: NumberwiseTransformer {
  // A step multiplies dv/dx by 1 + (κ₁ + 2κ₂ + 2κ₃ + κ₄)/6. Here κ₁ = z₁, κ₂ = z₂ (1 + κ₁/2), κ₃ = z₃ (1 +
  // κ₂/2), κ₄ = z₄ (1 + κ₃), and zᵢ is ∂g/∂v at stage i times the length of the step. That is linear in each
  // zᵢ, so the minimum over |zᵢ| ≤ 1 is at a corner. It is 3/8. So the map increases if Λ ≤ steps.

  private let units, steps: Int
  private let lipschitz: Double

  /// Makes a transformer with J units.
  ///
  /// - Parameters:
  ///   - units: The number J of tanh units.
  ///   - steps: The number of steps of the integration.
  ///   - lipschitz: The bound Λ of |∂g/∂v|. Slopes of the map are between e^−Λ and e^Λ.
  /// - Precondition: There is a unit and a step, and 0 < lipschitz ≤ steps.
  public init(units: Int = 8, steps: Int = 16, lipschitz: Double = 16) {
    require(units >= 1 && steps >= 1, "AUTM: at least one unit and one step, got \(units) and \(steps)")
    require(
      lipschitz > 0 && lipschitz <= Double(steps),
      "AUTM: the Lipschitz bound is positive and at most \(steps), the number of steps, got \(lipschitz)")
    (self.units, self.steps, self.lipschitz) = (units, steps, lipschitz)
  }

  public var name: String { "AUTM" }
  public var parameterCount: Int { 4 * units + 2 }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    if isInverse {
      let x = inverseOfMonotone(at: numbers, given: [raw]) { x, parameters in
        let (y, slope) = flow(x, parameters[0])
        return (y, slope)
      }
      return (x, log(flow(x, raw).slope))
    }
    let (y, slope) = flow(numbers, raw)
    return (y, log(slope))
  }

  /// The map and its derivative, which the same steps integrate.
  private func flow(_ x: Tensor, _ raw: Tensor) -> (outputs: Tensor, slope: Tensor) {
    let map = AUTMMap(units: units, steps: steps)
    let inputs = Operands(x, field(raw))
    let results = map.fits ? apply(map, inputs) : map.composed(inputs)
    return (results[0], results[1])
  }

  /// The parameters of g, in the order of `AUTMMap`.
  private func field(_ raw: Tensor) -> Tensor {
    let j = units
    let (slopes, last) = (raw.columns(0..<j), raw.columns(4 * j..<4 * j + 1))
    let total = square(slopes).sum(axis: 1, keepDims: true) + square(last)
    let scale = 1 / sqrt(1 + Double(j + 1) / (lipschitz * lipschitz) * total)
    let slope = scale * slopes
    let rate = 0.1 + softplus(raw.columns(j..<2 * j) + rateOffset)
    let shift = raw.columns(2 * j..<3 * j) + Tensor(evenlySpaced(j).map { 2 * $0 }, dtype: raw.dtype)
    return concatenate(
      [
        rate, slope / rate, slope, shift, raw.columns(3 * j..<4 * j), scale * last,
        raw.columns(4 * j + 1..<4 * j + 2),
      ], axis: 1)
  }
}

/// The number whose softplus is 0.9.
private let rateOffset = log(expm1(Tensor(0.9, dtype: .float64))).item
