import Tensors

extension Target {
  /// Makes the posterior of the weights of a logistic regression, 1 + features numbers, the intercept first.
  ///
  /// log p(w) = Σₙ yₙ lₙ − softplus(lₙ) + Σ log N(wᵢ; 0, s²) with the logits l = w₀ + X w. The normalizer,
  /// the probability of the labels, is unknown.
  ///
  /// - Parameters:
  ///   - features: The features [rows, features], preferably standardized.
  ///   - labels: The labels [rows], 0 or 1.
  ///   - priorDeviation: The standard deviation s of every weight under the prior.
  /// - Precondition: There are as many labels as rows.
  public static func logisticRegression(features: Tensor, labels: Tensor, priorDeviation: Double = 1)
    -> Target
  {
    require(
      features.rank == 2 && labels.shape == [features.rows],
      "a regression needs features [rows, features] and labels [rows], "
        + "got \(features.shape) and \(labels.shape)")
    let size = 1 + features.shape[1]
    let design = concatenate(
      [.ones([features.rows, 1], dtype: .float64), features.cast(to: .float64)], axis: 1)
    let matrix = OfEitherDType(design)
    let signs = OfEitherDType(2 * labels.cast(to: .float64) - 1)
    let constant = Double(size) * (0.5 * 1.8378770664093454836 + logarithm(priorDeviation))
    return Target("logistic regression", inputDim: [size]) { weights in
      // The term y l − softplus(l) is −softplus(−l) for y = 1 and −softplus(l) for y = 0.
      let logits = matmul(weights, matrix[weights.dtype], transposeB: true)
      let likelihood = -softplus(-(logits * signs[weights.dtype])).sumPerRow()
      return likelihood - 0.5 / (priorDeviation * priorDeviation) * square(weights).sumPerRow() - constant
    }
  }

  /// The parametrization of the effects in the model of eight schools.
  public enum SchoolEffects: Sendable, Hashable {
    /// The effects θⱼ themselves, which form a funnel in τ.
    case centered
    /// The standardized effects ηⱼ with θⱼ = μ + τ ηⱼ.
    case nonCentered
  }

  /// Makes the posterior of the model of eight schools, which estimates the effects of coaching.
  ///
  /// A sample is (μ, τ, θ₁, …, θ₈), or has η for θ. Its second number is positive.
  ///
  /// yⱼ ~ N(θⱼ, σⱼ²), θⱼ ~ N(μ, τ²), μ ~ N(0, 5²), τ half-Cauchy of scale 5. A flow for it has
  /// `Blockwise(([1], Serial()), ([1], Log()), ([8], Serial()))` on the data's side.
  ///
  /// Rubin 1981; data and priors as in Gelman et al., *Bayesian Data Analysis*, section 5.5, and Stan's case
  /// study.
  public static func eightSchools(_ effects: SchoolEffects = .nonCentered) -> Target {
    let y = OfEitherDType(Tensor([28, 8, -3, 7, -1, 1, 18, 12], dtype: .float64))
    let deviations = Tensor([15, 10, 16, 11, 9, 11, 10, 18], dtype: .float64)
    let sigma = OfEitherDType(deviations)
    let halfLog2Pi = 0.5 * 1.8378770664093454836
    // The constants of y, of the effects and of μ, then log σⱼ, log 5, and log(5π / 2) of the half-Cauchy.
    let constant =
      17 * halfLog2Pi + log(deviations).sum().item
      + log(Tensor([5, 5 * Double.pi / 2], dtype: .float64)).sum().item
    return Target("eight schools, \(effects)", inputDim: [10]) { x in
      let (mu, tau) = (x.sliced(axis: 1, 0..<1), x.sliced(axis: 1, 1..<2))
      let third = x.sliced(axis: 1, 2..<10)
      let eta = effects == .centered ? (third - mu) / tau : third
      let theta = effects == .centered ? third : mu + tau * eta
      let misfit = square((y[x.dtype] - theta) / sigma[x.dtype]).sumPerRow() + square(eta).sumPerRow()
      let ofHyper =
        0.5 * square(mu / 5) + log1p(square(tau / 5)) + (effects == .centered ? 8 * log(tau) : 0 * tau)
      return -0.5 * misfit - ofHyper.sumPerRow() - constant
    }
  }
}

/// A constant in float32 and in float64.
private struct OfEitherDType: Sendable {
  private let single, double: Tensor

  init(_ value: Tensor) { (single, double) = (value.cast(to: .float32), value.cast(to: .float64)) }

  subscript(dtype: DType) -> Tensor { dtype == .float64 ? double : single }
}
