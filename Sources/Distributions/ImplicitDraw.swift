import Tensors

/// Draws as functions of a parameter, made of draws that are constants. The first input is the parameter of
/// each draw, the second the draw.
///
/// A draw x moves with the parameter θ such that its quantile F(x; θ) stays: dx/dθ = −∂F(x; θ)/∂θ / p(x; θ).
/// So draws by rejection have pathwise derivatives too, of every order.
///
/// Figurnov, Mohamed & Mnih 2018, *Implicit reparameterization gradients*, arXiv 1805.08498, eq. 5.
package struct ImplicitDraw: Primitive {
  /// dx/dθ.
  let slope: @Sendable (_ parameter: Tensor, _ draw: Tensor) -> Tensor

  package func value(_ inputs: Operands) -> Operands { Operands(inputs[1]) }

  package func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let moved = tangents.optional(0).map { $0 * slope(inputs[0], outputs[0]) }
    guard let own = tangents.optional(1) else { return Operands(moved) }
    return Operands(moved.map { $0 + own } ?? own)
  }

  package func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    Operands(wanted[0] ? g[0] * slope(inputs[0], outputs[0]) : nil, wanted[1] ? g[0] : nil)
  }
}

extension ImplicitDraw {
  /// Logarithms of gamma numbers, by their concentration a. The error is within 10⁻⁷ of the derivative.
  ///
  /// With u = t/x, the incomplete gamma functions P and Q = 1 − P are x p(x) ∫ u^(a−1) e^(x (1−u)) du, up to
  /// u = 1 or from there. So d log x/da = −∂P/∂a / (x p(x)) = ∂Q/∂a / (x p(x)) is, with u = e^(∓v),
  ///
  ///     ∫₀^∞ (±(ψ(a) − log x) + v) exp(∓a v + x (1 − e^(∓v))) dv,
  ///
  /// with the upper signs or the lower. The first have no cancellation for x ≤ a, the second for x ≥ a.
  package static let logGamma = ImplicitDraw { concentration, draw in
    let (a, logX) = (concentration.cast(to: .float64), draw.cast(to: .float64))
    let x = exp(logX)
    let sign = select(where: x.detached .<= a.detached, 1, Tensor(-1, dtype: .float64))
    let gap = sign * (digamma(a) - logX)
    let rate = abs(a - x) + minimum(sqrt(x), maximum(x, a))
    let v = DoubleExponential.halfLine.nodes / rate.expanded(axis: -1)
    let move = sign.expanded(axis: -1) * v
    // Beyond e⁷⁰⁰ the integrand is 0.
    let exponent = -a.expanded(axis: -1) * move - x.expanded(axis: -1) * expm1(minimum(-move, 700))
    let terms = exp(exponent) * (gap.expanded(axis: -1) + v) * DoubleExponential.halfLine.weights
    return (terms.sum(axis: -1) / rate).cast(to: draw.dtype)
  }

  /// Angles around 0 of a von Mises distribution, by its concentration κ. The error is within 10⁻⁷ of the
  /// largest derivative.
  ///
  /// For θ ≥ 0, dθ/dκ = ∫_θ^π (cos t − A) exp(κ (cos t − cos θ)) dt with A = (log I₀)′(κ), and for θ < 0 it
  /// is the opposite. The nodes are t = θ + (π − θ) σ(sinh τ + shift), where the shift puts τ = 0 at the
  /// width of the peak.
  package static let vonMises = ImplicitDraw { concentration, draw in
    let (k, signed) = (concentration.cast(to: .float64), draw.cast(to: .float64))
    let angle = abs(signed)
    // 1 − A.
    let missing = -gradient(at: k) { logScaledBesselI0($0).sum() }
    let length = maximum(.pi - angle, 1e-300)
    let width = minimum(reciprocal(k * sin(angle) + sqrt(k)), length)
    let logit = DoubleExponential.interval.nodes + log(width / length).expanded(axis: -1)
    let step = length.expanded(axis: -1) * sigmoid(logit)
    let start = angle.expanded(axis: -1)
    let height = missing.expanded(axis: -1) - 2 * square(sin(0.5 * (start + step)))
    let fall = 2 * k.expanded(axis: -1) * sin(start + 0.5 * step) * sin(0.5 * step)
    let terms = height * exp(-fall) * sigmoid(logit) * sigmoid(-logit) * DoubleExponential.interval.weights
    return (sign(signed) * length * terms.sum(axis: -1)).cast(to: draw.dtype)
  }
}

/// Nodes and weights of the trapezoidal rule in a variable τ in which integrands fall double exponentially.
///
/// Takahasi & Mori 1974, *Double exponential formulas for numerical integration*, Publ. RIMS 9.
private struct DoubleExponential {
  let nodes, weights: Tensor

  private init(from low: Double, to high: Double, _ map: (_ x: Tensor) -> (node: Tensor, slope: Tensor)) {
    let (count, width) = (64, (high - low) / 63)
    let (node, slope) = map(Tensor((0..<count).map { low + width * Double($0) }, dtype: .float64))
    (nodes, weights) = (node, width * slope)
  }

  /// v = exp(τ − e^(−τ)), for integrands that fall exponentially on [0, ∞).
  static let halfLine = DoubleExponential(from: -3.5, to: 3.9) { x in
    let v = exp(x - exp(-x))
    return (v, v * (1 + exp(-x)))
  }

  /// sinh τ, the logit of a place on an interval.
  static let interval = DoubleExponential(from: -4, to: 4) { x in
    (0.5 * (exp(x) - exp(-x)), 0.5 * (exp(x) + exp(-x)))
  }
}
