import Tensors

// Densities of gamma, beta and Dirichlet numbers are differences of terms like a log a, which for large a are
// far above the result. They are computed in terms that are not (Loader 2000, *Fast and accurate computation
// of binomial probabilities*): log Γ(x) = (x − ½) log x − x + ½ log 2π + δ(x), and deviances.

/// ½ log 2π.
let halfLogTurn = 0.91893853320467274178

/// Computes δ(x) = log Γ(x) − (x − ½) log x + x − ½ log 2π for x > 0, with derivatives of every order. It is
/// 1 / 12x and less for large x.
///
/// From 8 on, eight terms of Stirling's series (DLMF 5.11.1) are accurate to 10⁻¹⁵. Below, the recurrence log
/// Γ(x) = log Γ(x + 8) − Σ_{k < 8} log(x + k) raises x.
func stirlingError(_ x: Tensor) -> Tensor {
  let isLarge = x.detached .>= 8
  let (small, large) = (select(where: isLarge, 1, x), select(where: isLarge, x, 8))
  let shifts = Tensor((0..<8).map(Double.init), dtype: x.dtype)
  let below = log(small.expanded(axis: -1) + shifts).sum(axis: -1)
  let raised = log(small + 8)
  let far = (small - 0.5) * (raised - log(small)) + (8 * raised - below) - 8
  return select(where: isLarge, stirlingSeries(large), far + stirlingSeries(small + 8))
}

private func stirlingSeries(_ z: Tensor) -> Tensor {
  // B₂ₖ / (2k (2k − 1)) for k = 8 … 1.
  let terms: [Double] = [
    -3617.0 / 122400, 1.0 / 156, -691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12,
  ]
  return polynomial(terms, at: reciprocal(square(z))) / z
}

/// Computes the digamma function ψ(x) = (log Γ)′(x) for x > 0, as `stirlingError` computes log Γ.
func digamma(_ x: Tensor) -> Tensor {
  let shifts = Tensor((0..<8).map(Double.init), dtype: x.dtype)
  let below = reciprocal(x.expanded(axis: -1) + shifts).sum(axis: -1)
  // B₂ₖ / 2k for k = 8 … 1.
  let terms: [Double] = [
    -3617.0 / 8160, 1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12,
  ]
  let (z, q) = (x + 8, reciprocal(square(x + 8)))
  return log(z) - 0.5 / z - polynomial(terms, at: q) * q - below
}

/// Computes a (r − 1 − log r) for r = 1 + w / a, the deviance of a number r times its expectation.
///
/// Near r = 1 it is a series in s = (r − 1) / (r + 1), since log r = 2 (s + s³/3 + s⁵/5 + ⋯). Elsewhere it is
/// w − a log r with the given log r.
func deviance(_ a: Tensor, excess w: Tensor, logRatio: Tensor) -> Tensor {
  let isNear = abs(w.detached / a.detached) .< 0.25
  let t = select(where: isNear, w, 0) / select(where: isNear, a, 1)
  let s = t / (2 + t)
  let terms: [Double] = (0..<10).map { 1 / Double(21 - 2 * $0) }
  let tail = polynomial(terms, at: square(s))
  return select(where: isNear, a * (s * t - 2 * s * square(s) * tail), w - a * logRatio)
}

/// Computes a polynomial from its coefficients, the highest power first.
private func polynomial(_ coefficients: [Double], at x: Tensor) -> Tensor {
  let first = Tensor.full(x.shape, coefficients[0], dtype: x.dtype)
  return coefficients.dropFirst().reduce(first) { $0 * x + $1 }
}
