import Tensors

/// An unconstrained monotonic neural network (UMNN): the integral of a positive network of each number.
///
/// y = β + ∫₀ˣ f(u) du with f = elu(z) + 1, z = softplus(a + d) − 4, d such that a = 0 gives z = 0, and
/// a(u) = w + Σⱼ (sⱼ / bⱼ) (tanh(bⱼ u + cⱼ) − tanh cⱼ). So f > e⁻⁴. Beyond ±bound f is constant, and the
/// tails are linear.
///
/// The integral is a Clenshaw-Curtis quadrature with `nodes` + 1 fixed nodes from 0 to x. By default
/// log|det| = Σ log dy/dx of this sum. With `.ofIntegrand` it is Σ log f(x) as in the paper, which
/// belongs to the exact integral. O(n J) per node.
///
/// Inverse: the root of the sum by a bracketed Newton iteration (`inverseOfMonotone`), to the last bits. It
/// costs about 10 times as much.
///
/// Raw parameters, 3J + 2 per number, one number after the other: J of s, J of b, J of c, w and β. s = r
/// / √(1 + J |r|² / Λ²) of the raw values r, so |a′| < Λ = `lipschitz`. b = 0.1 + (B − 0.1) sigmoid(raw) is
/// below B = `rate`, with an offset such that 0 gives 1. c is the raw value plus a constant; the J constants
/// are evenly spaced from −2 to 2. Zeros give the identity.
///
/// Domain: all reals.
///
/// Wehenkel & Louppe 2019, *Unconstrained monotonic neural networks*, arXiv 1908.05164, eqs. 3-5 and
/// section 4. There one deep network of (u, h) serves all numbers, and the conditioner gives its input h.
/// Here the conditioner gives all weights of a network with one hidden layer, so that this is a
/// transformer like others. The bounds of z, s and b are ours: a fixed number of nodes does not resolve a
/// network without them, and the sum would not increase everywhere. Steep maps need larger bounds and more
/// nodes. Where nodes are too few, log|det| is NaN.
public struct UMNN: NumberwiseTransformer {
  /// The function whose logarithm is log|det|.
  public enum Slope: Sendable, Hashable {
    /// The derivative of the quadrature, which is the map that runs.
    case ofQuadrature
    /// The integrand f(x).
    case ofIntegrand
  }

  private let units: Int
  private let bound, lipschitz, rate: Double
  private let slope: Slope
  private let nodes, weights: [Double]

  /// Makes a transformer with J units.
  ///
  /// - Parameters:
  ///   - units: The number J of tanh units.
  ///   - nodes: The number of intervals between nodes, even.
  ///   - bound: The end of the interval ±bound beyond which the map is linear.
  ///   - lipschitz: The bound Λ of |a′|, which limits how fast the slope of the map changes.
  ///   - rate: The bound B of the rates b.
  ///   - slope: The function whose logarithm is log|det|.
  /// - Precondition: There is a unit, the number of nodes is even and positive, the bounds are positive, and
  ///   the rate is above 1.
  public init(
    units: Int = 8, nodes: Int = 50, bound: Double = 5, lipschitz: Double = 8, rate: Double = 3,
    slope: Slope = .ofQuadrature
  ) {
    require(units >= 1, "UMNN: at least one unit, got \(units)")
    require(nodes >= 2 && nodes % 2 == 0, "UMNN: the number of nodes is even and positive, got \(nodes)")
    require(bound > 0 && bound.isFinite, "UMNN: the bound is positive, got \(bound)")
    require(lipschitz > 0 && lipschitz.isFinite, "UMNN: the Lipschitz bound is positive, got \(lipschitz)")
    require(rate > 1 && rate.isFinite, "UMNN: the bound of the rates is above 1, got \(rate)")
    (self.units, self.bound, self.slope) = (units, bound, slope)
    (self.lipschitz, self.rate) = (lipschitz, rate)
    (self.nodes, weights) = clenshawCurtis(nodes)
  }

  public var name: String { "UMNN" }
  public var parameterCount: Int { 3 * units + 2 }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    if isInverse {
      let x = inverseOfMonotone(at: numbers, given: [raw]) { x, parameters in
        let (y, slope, _) = integral(x, parameters[0])
        return (y, slope)
      }
      return (x, logSlope(integral(x, raw)))
    }
    let result = integral(numbers, raw)
    return (result.outputs, logSlope(result))
  }

  private typealias Integral = (outputs: Tensor, slope: Tensor, integrand: Tensor)

  private func logSlope(_ result: Integral) -> Tensor {
    log(slope == .ofQuadrature ? result.slope : result.integrand)
  }

  /// The map, its derivative, and f at x.
  private func integral(_ x: Tensor, _ raw: Tensor) -> Integral {
    let integrand = Integrand(raw, units, lipschitz: lipschitz, rate: rate)
    let isInside = abs(x.detached) .<= bound
    let end = minimum(maximum(x, -bound), bound)
    let places = Tensor(nodes, dtype: x.dtype)
    let (f, slope) = integrand(end.expanded(axis: 1) * places)
    let weights = Tensor(weights, dtype: x.dtype)
    // d/dx (x Σ wₖ f(x tₖ)) = Σ wₖ (f(x tₖ) + x tₖ f′(x tₖ))
    let sum = (weights * f).sum(axis: 1)
    let change = (weights * places * slope).sum(axis: 1)
    let last = f.column(nodes.count - 1)
    let y = raw.column(3 * units + 1) + end * sum + last * (x - end)
    return (y, select(where: isInside, sum + end * change, last), last)
  }

  /// The function f at given parameters.
  private struct Integrand {
    let rate, size, slope, shift, start: Tensor

    init(_ raw: Tensor, _ units: Int, lipschitz: Double, rate bound: Double) {
      let j = units
      let slopes = raw.columns(0..<j)
      let share = Double(j) / (lipschitz * lipschitz)
      slope = slopes / sqrt(1 + share * square(slopes).sum(axis: 1, keepDims: true))
      // The offset is the r with 0.1 + (bound − 0.1) sigmoid(r) = 1.
      let offset = log(Tensor(0.9 / (bound - 1), dtype: .float64)).item
      rate = 0.1 + (bound - 0.1) * sigmoid(raw.columns(j..<2 * j) + offset)
      size = slope / rate
      shift = raw.columns(2 * j..<3 * j) + Tensor(evenlySpaced(j).map { 2 * $0 }, dtype: raw.dtype)
      start = raw.column(3 * j) - (size * tanh(shift)).sum(axis: 1)
    }

    /// f and its derivative at numbers u [N, nodes].
    func callAsFunction(_ u: Tensor) -> (value: Tensor, slope: Tensor) {
      func each(_ a: Tensor) -> Tensor { a.expanded(axis: 1) }
      let t = tanh(each(rate) * u.expanded(axis: 2) + each(shift))
      let a = (each(size) * t).sum(axis: 2) + each(start)
      let slopeOfA = (each(slope) * (1 - square(t))).sum(axis: 2)
      let z = softplus(a + softplusOffset) - 4
      let isPositive = z.detached .> 0
      let low = exp(select(where: isPositive, 0, z))
      let value = select(where: isPositive, z + 1, low)
      return (value, select(where: isPositive, 1, low) * sigmoid(a + softplusOffset) * slopeOfA)
    }
  }
}

/// The number d with softplus(d) = 4.
private let softplusOffset = log(expm1(Tensor(4, dtype: .float64))).item

/// Computes the nodes and weights of Clenshaw-Curtis quadrature with n + 1 nodes on [0, 1], for an even n.
///
/// Waldvogel 2006, *Fast construction of the Fejér and Clenshaw-Curtis quadrature rules*, section 2.
private func clenshawCurtis(_ n: Int) -> (nodes: [Double], weights: [Double]) {
  func cosine(_ numerator: Int) -> Double {
    cos(Tensor(.pi * Double(numerator) / Double(n), dtype: .float64)).item
  }
  let nodes = (0...n).map { k in k == 0 ? 0 : k == n ? 1 : (1 - cosine(k)) / 2 }
  let weights = (0...n).map { k in
    let sum = (1...n / 2).reduce(1.0) { sum, m in
      sum - (m == n / 2 ? 1 : 2) / Double(4 * m * m - 1) * cosine(2 * m * k % (2 * n))
    }
    return (k == 0 || k == n ? 0.5 : 1) * sum / Double(n)
  }
  return (nodes, weights)
}
