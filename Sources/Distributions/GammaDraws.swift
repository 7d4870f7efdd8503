import Randomness
import Tensors

extension Key {
  /// Draws logarithms of gamma numbers of rate 1 with the given concentrations a, which broadcast to `shape`.
  ///
  /// For a ≥ 1, d = a − 1/3 and c = 1 / √(9d), a proposal is d (1 + c Z)³ with a normal Z. It is accepted if
  /// log U < ½ Z² + d − d V + d log V, V = (1 + c Z)³. For a < 1 a draw at a + 1 is multiplied by U^(1/a).
  /// Logarithms keep draws at small a above 0.
  ///
  /// Proposals come in rounds with keys of their own until all numbers are accepted. A round accepts at
  /// least 95 %. A number that is rejected 64 times, with a probability below 10⁻⁸³, takes its last
  /// proposal. A number's rounds do not depend on the other numbers, so longer shapes begin with the draws
  /// of shorter ones. Draws are differentiable by a, see `ImplicitDraw`.
  ///
  /// Marsaglia & Tsang 2000, *A simple method for generating gamma variables*, ACM Trans. Math. Softw. 26.
  func logGammaNumbers(_ shape: Shape, concentration: Tensor) -> Tensor {
    DrawTrace.current?.refuse("gamma numbers, which are made by rejection")
    let (a, dtype) = (concentration.detached, concentration.dtype)
    let isSmall = a .< 1
    let d = select(where: isSmall, a + 1, a) - 1.0 / 3
    let c = reciprocal(sqrt(9 * d))
    var (draws, isAccepted) = (Tensor.zeros(shape, dtype: dtype), Tensor.zeros(shape, dtype: dtype))
    for round in 0..<64 where isAccepted.doubles.contains(0) {
      let key = folded(in: 1).folded(in: round)
      let z = key.folded(in: 0).normal(shape, dtype: dtype)
      let isPositive = 1 + c * z .> 0
      let logV = 3 * log(select(where: isPositive, 1 + c * z, 1))
      let bound = 0.5 * square(z) + d * (1 - exp(logV) + logV)
      let accepts = isPositive * (-key.folded(in: 1).exponential(shape, dtype: dtype) .< bound)
      draws = select(where: isAccepted, draws, log(d) + logV)
      isAccepted = maximum(isAccepted, accepts)
    }
    let boost = folded(in: 0).exponential(shape, dtype: dtype) / a
    let numbers = select(where: isSmall.broadcast(to: shape), draws - boost, draws)
    return a.isSymbolic ? numbers : ImplicitDraw.logGamma(concentration.broadcast(to: shape), numbers)
  }
}
