import Tensors

/// Computes log Γ(x) for x > 0, with derivatives of every order.
///
/// The recurrence log Γ(x) = log Γ(x + 8) − Σ_{k < 8} log(x + k) raises x. There eight terms of Stirling's
/// series (DLMF 5.11.1) are accurate to 10⁻¹⁵. Error: some roundings of max(1, x log x), so in float32 a
/// number far above 1 has few decimals after the point.
func logGamma(_ x: Tensor) -> Tensor {
  let shifts = Tensor((0..<8).map(Double.init), dtype: x.dtype)
  let below = log(x.expanded(axis: -1) + shifts).sum(axis: -1)
  let z = x + 8
  let q = reciprocal(square(z))
  // B₂ₖ / (2k (2k − 1)) for k = 8 … 1.
  let terms: [Double] = [
    -3617.0 / 122400, 1.0 / 156, -691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12,
  ]
  var series = Tensor.full(z.shape, terms[0], dtype: z.dtype)
  for term in terms.dropFirst() { series = series * q + term }
  let main = (z - 0.5) * log(z) - z
  return main + 0.91893853320467274178 + series / z - below
}
