import Tensors

/// y = logit(Σₖ wₖ σ(zₖ)) with zₖ = aₖ x + bₖ, Σ wₖ = 1, a > 0: a layer of
/// `MixtureOfLogistics` and `DeepSigmoidal`.
///
/// The logarithms of the mixture F and of 1 − F = Σ wₖ σ(−zₖ) are computed separately, so that
/// y = log F − log(1 − F) is accurate in both tails. With pₖ = wₖ σ(zₖ) / F and qₖ = wₖ σ(−zₖ) / (1 − F),
///
///     dy/dx = F′ / (F (1 − F)) = Σₖ aₖ pₖ qₖ / wₖ.
struct SigmoidMixture {
  /// The numbers log w, log a and b, [N, K] each.
  let logWeight, logRate, shift: Tensor

  /// Computes y and log dy/dx for x [N].
  func forward(_ x: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    let z = exp(logRate) * x.expanded(axis: 1) + shift
    let (up, down) = (logWeight + logSigmoid(z), logWeight + logSigmoid(-z))
    let (below, above) = (up.logSumExp(axis: 1), down.logSumExp(axis: 1))
    return (below - above, (logRate + up + down - logWeight).logSumExp(axis: 1) - below - above)
  }

  /// Computes x with forward(x) = y numerically.
  ///
  /// A single component k has the solution xₖ = (y − bₖ) / aₖ. At the least xₖ, no σ(zₖ) is above σ(y), so
  /// neither is the mixture. The opposite holds at the largest xₖ, so x lies between them. A margin allows
  /// for rounding.
  func inverse(_ y: Tensor) -> Tensor {
    let single = (y.detached.expanded(axis: 1) - shift.detached) * exp(-logRate.detached)
    let (least, largest) = (single.min(axis: 1), single.max(axis: 1))
    let margin = 1e-4 * (1 + maximum(abs(least), abs(largest)))
    return inverseOfMonotone(
      at: y, given: [logWeight, logRate, shift], between: (lower: least - margin, upper: largest + margin)
    ) { x, parameters in
      let (y, logSlope) = SigmoidMixture(
        logWeight: parameters[0], logRate: parameters[1], shift: parameters[2]
      ).forward(x)
      return (y, exp(logSlope))
    }
  }
}

/// Makes K numbers evenly spaced from −1 to 1, or 0 for K = 1.
///
/// They are the initial shifts of components. Equal components would get equal gradients and stay equal.
func evenlySpaced(_ count: Int) -> [Double] {
  (0..<count).map { count == 1 ? 0 : 2 * Double($0) / Double(count - 1) - 1 }
}
