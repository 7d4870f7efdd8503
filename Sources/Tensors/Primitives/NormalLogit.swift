// The logit of the standard normal distribution function, L(z) = log Φ(z) − log Φ(−z), and its inverse: the
// change between a logistic and a normal number. Both are accurate in both tails. L is odd and increases.

/// L(z) = log Φ(z) − log Φ(−z), with the derivative φ / (Φ(z) Φ(−z)).
package func normalLogit(_ z: Tensor) -> Tensor { ElementwiseFormula.normalLogit(z) }
/// The logarithm of the derivative of `normalLogit`, with a derivative of its own.
package func logNormalLogitSlope(_ z: Tensor) -> Tensor { ElementwiseFormula.logNormalLogitSlope(z) }
/// Φ⁻¹(σ(x)), the inverse of `normalLogit`.
package func normalQuantile(logit x: Tensor) -> Tensor { ElementwiseFormula.normalQuantile(x) }

extension ElementwiseFormula {
  static let normalLogit = ElementwiseFormula {
    NormalTail(Tensors.abs($0)).logit * Tensors.sign($0)
  } chain: { g, z, _ in
    g * Tensors.exp(Tensors.logNormalLogitSlope(z))
  }

  static let logNormalLogitSlope = ElementwiseFormula {
    NormalTail(Tensors.abs($0)).logSlope
  } chain: { g, z, _ in
    let size = Tensors.abs(z)
    return g * (NormalTail(size).slopeOfLogSlope * Tensors.sign(z))
  }

  /// Five steps of Newton's method.
  ///
  /// L is convex for z > 0, L(z) ≥ √(8/π) z and L(z) ≥ z²/2. So min(√(π/8) x, √(2x)) is not below the
  /// solution, and the steps fall to it.
  static let normalQuantile = ElementwiseFormula { x in
    let target = Tensors.abs(x)
    var z = minimum(0.62665706865775012 * target, Tensors.sqrt(2 * target))
    for _ in 0..<5 {
      let tail = NormalTail(z)
      z = z - (tail.logit - target) * Tensors.exp(-tail.logSlope)
    }
    return select(where: target .< .infinity, z, target) * Tensors.sign(x)
  } chain: { g, _, z in
    g * Tensors.exp(-Tensors.logNormalLogitSlope(z))
  }
}

/// Functions of the standard normal distribution at numbers a ≥ 0.
///
/// Below 2.5 they come from e = erf(a/√2) = Φ − Q with Q = Φ(−a). From 2.5 on they come from Laplace's
/// continued fraction Q = φ / (a + 1/(a + 2/(a + 3/(a + …)))), whose 32 terms are accurate to 10⁻¹⁶ there.
private struct NormalTail {
  private let isFar, a, near, far, e, ratio, excess: Tensor
  /// log φ(0).
  private static let logPeak = -0.91893853320467274178

  init(_ a: Tensor) {
    self.a = a
    isFar = a .> 2.5
    (near, far) = (select(where: isFar, 0, a), select(where: isFar, a, 3))
    e = Tensors.erf(near * 0.70710678118654752440)
    var fraction = far
    for k in stride(from: 32.0, through: 2, by: -1) { fraction = far + k / fraction }
    (excess, ratio) = (1 / fraction, far + 1 / fraction)
  }

  /// log Q of numbers far out, for Q = φ / ratio.
  private var logTail: Tensor { -0.5 * Tensors.square(far) + Self.logPeak - Tensors.log(ratio) }
  private var logDensity: Tensor { -0.5 * Tensors.square(near) + Self.logPeak }
  /// Φ Q = (1 − e²) / 4 of numbers nearby.
  private var product: Tensor { 0.25 * (1 - e) * (1 + e) }

  /// L(a) = log Φ − log Q.
  var logit: Tensor {
    let inner = Tensors.log1p(e) - Tensors.log1p(-e)
    return select(where: isFar, Tensors.log1p(-Tensors.exp(logTail)) - logTail, inner)
  }

  /// log L′(a) = log φ − log(Φ Q). Far out it is log ratio − log Φ.
  var logSlope: Tensor {
    let outer = Tensors.log(ratio) - Tensors.log1p(-Tensors.exp(logTail))
    return select(where: isFar, outer, logDensity - Tensors.log(product))
  }

  /// The derivative of `logSlope`, φ/Q − φ/Φ − a. Far out, φ/Q − a is `excess`.
  var slopeOfLogSlope: Tensor {
    let inner = Tensors.exp(logDensity) * e / product - near
    let tail = Tensors.exp(logTail)
    return select(where: isFar, excess - ratio * tail / (1 - tail), inner)
  }
}
