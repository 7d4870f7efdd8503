import Tensors

/// An increasing polynomial of degree 2r + 1, the integral of a sum of squares of K polynomials.
///
/// y = t + δ x + (1 − δ)/K · Σₖ ∫₀^(x−cₖ) qₖ(v)² dv with polynomials qₖ(v) = 1 + Σₗ aₖₗ vˡ of degree r.
///
/// log|det| = Σ log(δ + (1 − δ)/K · Σₖ qₖ(x − cₖ)²). O(n K r) by Gauss-Legendre quadrature with r + 1 nodes.
/// It is exact for these polynomials and adds positive terms only.
///
/// Inverse: numerically by `inverseOfMonotone`, to the last bits; some dozens of forward passes.
///
/// Raw parameters: all a₁₀, all a₁₁, … all a_Kr, then all t. Zeros give the identity. Domain: all reals.
///
/// Jaini, Selby & Yu 2019, *Sum-of-squares polynomial flow*, arXiv 1905.02325, section 4. There δ = 0, and
/// the slope vanishes at common roots of all polynomials; δ keeps the inverse's derivative finite. The
/// centres cₖ, evenly spaced on [−1, 1], do not change the family. Without them, all polynomials would have
/// the same gradient at raw zeros. The sum of the cₖ is 0, so zeros give y = x.
public struct SumOfSquares: Transformer {
  private let polynomials: Int
  private let degree: Int
  private let minimumSlope: Double
  private let nodes: [Double]
  private let weights: [Double]

  /// Makes a sum of squares of polynomials, with a slope of at least `minimumSlope`.
  ///
  /// - Precondition: There is at least one polynomial, the degree is not negative, and `minimumSlope` is
  ///   between 0 and 1.
  public init(polynomials: Int = 2, degree: Int = 3, minimumSlope: Double = 1e-3) {
    require(
      polynomials >= 1 && degree >= 0 && minimumSlope > 0 && minimumSlope < 1,
      "SumOfSquares of \(polynomials) polynomials of degree \(degree), slope \(minimumSlope)")
    self.polynomials = polynomials
    self.degree = degree
    self.minimumSlope = minimumSlope
    (nodes, weights) = gaussLegendre(degree + 1)
  }

  public var name: String { "SumOfSquares" }
  public var parameterCount: Int { polynomials * (degree + 1) + 1 }

  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    let parts = polynomials(x, parameters)
    return (value(x, parameters, parts), logSlope(x, parts).sumPerRow())
  }

  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    let x = inverseOfMonotone(at: y, given: [parameters]) { x, parameters in
      let parts = polynomials(x, parameters[0])
      return (value(x, parameters[0], parts), slope(x, parts))
    }
    return (x, -logSlope(x, polynomials(x, parameters)).sumPerRow())
  }

  /// The share of each polynomial's square in the slope.
  private var share: Double { (1 - minimumSlope) / Double(polynomials) }

  /// A polynomial: its argument x − c and its coefficients.
  private typealias Polynomial = (v: Tensor, a: [Tensor])

  private func polynomials(_ x: Tensor, _ parameters: Tensor) -> [Polynomial] {
    evenlySpaced(polynomials).enumerated().map { k, centre in
      (x - centre, (0...degree).map { parameters.block(k * (degree + 1) + $0, of: parameterCount) })
    }
  }

  /// Computes y.
  private func value(_ x: Tensor, _ parameters: Tensor, _ parts: [Polynomial]) -> Tensor {
    let nodes = Tensor(nodes, shape: [nodes.count, 1], dtype: x.dtype)
    let weights = Tensor(weights, shape: [weights.count, 1], dtype: x.dtype)
    var value = minimumSlope * x + parameters.block(parameterCount - 1, of: parameterCount)
    for (v, a) in parts {
      // ∫₀ᵛ q² = v Σⱼ wⱼ q(zⱼ v)²
      let q = horner(a.map { $0.expanded(axis: -2) }, v.expanded(axis: -2) * nodes)
      value = value + share * v * (weights * square(q)).sum(axis: -2)
    }
    return value
  }

  /// Computes dy/dx.
  private func slope(_ x: Tensor, _ parts: [Polynomial]) -> Tensor {
    var slope = Tensor.full(x.shape, minimumSlope, dtype: x.dtype)
    for (v, a) in parts { slope = slope + share * square(horner(a, v)) }
    return slope
  }

  /// Computes log dy/dx, which is finite where dy/dx overflows.
  ///
  /// There it is 2r log X + log(dy/dx X⁻²ʳ) with X = |x|. The polynomial q(v) X⁻ʳ has the argument v / X and
  /// the coefficients aₗ Xˡ⁻ʳ. For the other numbers X is 1, which changes no bits.
  private func logSlope(_ x: Tensor, _ parts: [Polynomial]) -> Tensor {
    let direct = slope(x, parts)
    if !direct.isSymbolic, direct.detached.isFinite { return log(direct) }
    let size = select(where: direct.detached .< .infinity, 1, abs(x.detached))
    var powers = [Tensor.ones(x.shape, dtype: x.dtype)]  // X⁰, X⁻¹, … X⁻ʳ
    for _ in 0..<degree { powers.append(powers[powers.count - 1] / size) }
    var slope = minimumSlope * square(powers[degree])
    for (v, a) in parts {
      let scaled = a.enumerated().map { $1 * powers[degree - $0] }
      slope = slope + share * square(horner(scaled, v / size, constant: powers[degree]))
    }
    return 2 * Double(degree) * log(size) + log(slope)
  }
}

/// Computes 1 + Σ aₗ vˡ, or with another constant than 1.
private func horner(_ a: [Tensor], _ v: Tensor, constant: Tensor? = nil) -> Tensor {
  let sum = a.dropLast().reversed().reduce(a[a.count - 1]) { $0 * v + $1 }
  return constant.map { sum + $0 } ?? sum + 1
}

/// Computes the nodes and weights of Gauss-Legendre quadrature on [0, 1].
private func gaussLegendre(_ count: Int) -> (nodes: [Double], weights: [Double]) {
  let n = Double(count)
  var (nodes, weights): ([Double], [Double]) = ([], [])
  for k in 1...count {
    // Newton's method on the Legendre polynomial, from Tricomi's estimate of its k-th root.
    var x = -cos(Tensor(.pi * (Double(k) - 0.25) / (n + 0.5), dtype: .float64)).item
    var slope = 0.0
    for _ in 0..<8 {
      var (previous, value) = (1.0, x)
      for m in stride(from: 2, through: n, by: 1) {
        (previous, value) = (value, ((2 * m - 1) * x * value - (m - 1) * previous) / m)
      }
      slope = n * (x * value - previous) / (x * x - 1)
      x -= value / slope
    }
    nodes.append((1 + x) / 2)
    weights.append(1 / ((1 - x * x) * slope * slope))
  }
  return (nodes, weights)
}
