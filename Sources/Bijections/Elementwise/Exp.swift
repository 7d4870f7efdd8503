import Tensors

/// The exponential function of each number.
///
/// Map: y = eˣ. log|det J| = Σ x, right also where y overflows to infinity; O(D).
///
/// Inverse: `Log`; O(D). No parameters.
///
/// Domain: all reals, to the positive numbers. Errors: backwards, a value that is not positive throws.
public struct Exp: ComposedBijection {
  /// An exponential function.
  public init() {}

  public var composed: any Bijection { exponential("Exp") }
}

/// The natural logarithm of each number: from the positive numbers to the reals.
///
/// Map: y = log x. log|det J| = −Σ log x; O(D). Inverse: `Exp`; O(D). No parameters.
///
/// Domain: the positive numbers; 0 and below throw. Errors: none of its own.
public struct Log: ComposedBijection {
  /// A natural logarithm.
  public init() {}

  public var composed: any Bijection { Inverted(exponential("Log")) }
}

/// The pair's one description: the slope of eˣ is eˣ.
private func exponential(_ name: String) -> Elementwise {
  Elementwise(name, to: .positive) {
    exp($0)
  } inverse: {
    log($0)
  } logSlope: {
    $0
  }
}
