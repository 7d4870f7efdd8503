import Tensors

/// The exponential function of each number.
///
/// Map: y = eˣ. log|det J| = Σ x; O(D). Where eˣ underflows or overflows, y is the least or the greatest
/// positive number of the dtype.
///
/// Inverse: `Log`; O(D). No parameters.
///
/// Domain: all reals; the codomain is the positive numbers. Errors: none of its own.
public struct Exp: ComposedBijection {
  /// Makes an exponential function.
  public init() {}

  public var composed: any Bijection { exponential("Exp") }
}

/// The natural logarithm of each number.
///
/// Map: y = log x. log|det J| = −Σ log x; O(D). Inverse: `Exp`; O(D). No parameters.
///
/// Domain: the positive numbers; the codomain is all reals. Errors: none of its own.
public struct Log: ComposedBijection {
  /// Makes a natural logarithm.
  public init() {}

  public var composed: any Bijection { Inverted(exponential("Log")) }
}

private func exponential(_ name: String) -> Elementwise {
  Elementwise(name, to: .positive, exp, inverse: log, logSlope: { $0 })
}
