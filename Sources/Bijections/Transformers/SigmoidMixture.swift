import Tensors

/// y = logit(Σₖ wₖ σ(zₖ)) with zₖ = aₖ x + bₖ, Σ wₖ = 1, a > 0: a layer of
/// `MixtureOfLogistics` and `DeepSigmoidal`.
///
/// The logarithms of the mixture F and of 1 − F = Σ wₖ σ(−zₖ) are computed separately, so that
/// y = log F − log(1 − F) is accurate in both tails. With the shares pₖ = wₖ σ(zₖ) / F and
/// qₖ = wₖ σ(−zₖ) / (1 − F), of which each kind sums to 1,
///
///     dy/dx = F′ / (F (1 − F)) = Σₖ aₖ pₖ qₖ / wₖ.
///
/// Its logarithm is computed from those of the shares. A rounding of z changes it by few roundings only: it
/// moves shares between components whose aₖ are almost equal.
struct SigmoidMixture {
  /// The numbers log w, log a and b, [N, K] each.
  let logWeight, logRate, shift: Tensor

  /// Computes y and log dy/dx for x [N].
  func forward(_ x: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    let z = exp(logRate) * x.expanded(axis: 1) + shift
    let (up, down) = (logWeight + logSigmoid(z), logWeight + logSigmoid(-z))
    let (below, p) = shares(up)
    let (above, q) = shares(down)
    return (below - above, (logRate - logWeight + p + q).logSumExp(axis: 1))
  }

  /// Computes log Σ eᵃ and the logarithms of the shares eᵃ / Σ eᵃ.
  ///
  /// The shares are taken relative to the largest. Far out, log Σ eᵃ is near −|x|, and its difference to a
  /// would have the error of a number of that size.
  private func shares(_ a: Tensor) -> (logSum: Tensor, logShares: Tensor) {
    let largest = a.detached.max(axis: 1, keepDims: true)
    let most = select(where: largest .> -.infinity, largest, 0)
    let relative = a - most
    let logSum = log(exp(relative).sum(axis: 1, keepDims: true))
    return ((logSum + most).reshaped(to: [a.rows]), relative - logSum)
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
