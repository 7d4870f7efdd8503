import Tensors

/// The map of each number that turns a logistic variable into a normal one.
///
/// Map: y = Φ⁻¹(σ(x)) with the standard normal distribution function Φ. log|det J| = −Σ log L′(y), where
/// L(y) = log Φ(y) − log Φ(−y) and L′ = φ / (Φ(y) Φ(−y)); O(D), with a continued fraction of 32 terms.
///
/// Inverse: x = L(y); O(D). Both directions are accurate in both tails. No parameters.
///
/// Domain: all reals. Errors: none of its own.
public struct LogisticToNormal: ComposedBijection {
  /// Makes a map from logistic to normal variables.
  public init() {}

  public var composed: any Bijection {
    Elementwise("LogisticToNormal", { normalQuantile(logit: $0) }, inverse: { normalLogit($0) }) {
      -logNormalLogitSlope(normalQuantile(logit: $0))
    }
  }
}

/// A Gaussianization layer: each number passes through the distribution function of its own mixture, and then
/// through the normal quantile function.
///
/// Map: y = Φ⁻¹(F(x)) for each number, F(x) = Σₖ wₖ σ((x − μₖ) / cₖ). If F is the distribution of a number,
/// then y is standard normal. Between its logit and the quantile, `MixtureOfLogistics` scales and shifts.
/// With rotations between the layers, the numbers become independent too: see `Flow.gaussianization`.
///
/// log|det J|, inverse and costs: those of `MixtureOfLogistics` and `LogisticToNormal`.
///
/// Parameters: those of `Unconditional` with a `MixtureOfLogistics`. They start such that F is near the
/// logistic function.
///
/// Domain: all reals. Errors: none of its own.
///
/// Meng, Song, Song & Ermon 2020, *Gaussianization flows*, arXiv 2003.01941, section 3.1, where all weights
/// are equal.
public struct Gaussianization: ComposedBijection {
  private let components: Int

  /// Makes a layer with mixtures of `components` logistic distributions.
  ///
  /// - Precondition: There is at least one component.
  public init(components: Int = 8) {
    require(components >= 1, "Gaussianization: components must be at least 1, got \(components)")
    self.components = components
  }

  public var composed: any Bijection {
    Serial(Unconditional(MixtureOfLogistics(components: components)), LogisticToNormal())
  }
}
