import Tensors

/// Computes log(e^(−κ) I₀(κ)) for each κ ≥ 0 to 10⁻¹³, with derivatives of every order. The cost is 32
/// exponentials.
///
/// Up to κ = 40, the midpoint rule integrates e^(−κ) I₀(κ) = (1/π) ∫₀^π exp(−κ(1 − cos θ)) dθ. The integrand
/// is smooth and periodic. With n nodes on the circle the rule gives I₀(κ) − 2 I_n(κ) + 2 I₂ₙ(κ) − ..., and
/// I₆₄(κ) / I₀(κ) < 10⁻¹⁷ here. All terms are positive, and by symmetry 32 nodes are enough.
///
/// Beyond κ = 40, the asymptotic series (2πκ)^(−½) (1 + 1²/(8κ) (1 + 3²/(16κ) (1 + 5²/(24κ) (...)))) is used
/// (DLMF 10.40.1). Its 13th term is below 10⁻¹⁶.
func logScaledBesselI0(_ concentration: Tensor) -> Tensor {
  let isLarge = concentration .> 40
  // Each branch gets an operand inside its own range.
  let small = select(where: isLarge, 1, concentration)
  let large = select(where: isLarge, concentration, 100)

  let halfAngles = Tensor((0..<32).map { (Double($0) + 0.5) * .pi / 64 }, dtype: .float64)
  let heights = (2 * square(sin(halfAngles))).cast(to: small.dtype)  // 1 - cos θ
  let integral = (-(small.expanded(axis: -1) * heights)).logSumExp(axis: -1) - logarithm(32)

  var series = Tensor.ones(large.shape, dtype: large.dtype)
  for k in stride(from: 12.0, through: 1, by: -1) {
    series = 1 + (2 * k - 1) * (2 * k - 1) / (8 * k) * series / large
  }
  return select(where: isLarge, log(series) - 0.5 * log(2 * .pi * large), integral)
}
