import Randomness
import Tensors

/// A layer that applies a strictly monotone function to each number, without parameters.
///
/// Map: y = f(x) for each number. log|det J| = Σ log|f′(x)| per row; O(D).
///
/// Inverse: x = f⁻¹(y) with log-determinant −Σ log|f′(x)|; O(D).
///
/// Domain: as given; a value outside throws an error. An image that rounding puts outside the codomain
/// becomes the nearest number inside. A context is ignored. Errors: `mismatch` for an interval without
/// numbers of the dtype.
///
/// ```swift
/// let cube = Elementwise(
///   "Cube", from: .positive, to: .positive, { $0 * $0 * $0 }, inverse: { pow($0, 1.0 / 3) },
///   logSlope: { log(3 * $0 * $0) })
/// ```
public struct Elementwise: Bijection {
  /// A function of each number of a tensor.
  public typealias Function = @Sendable (Tensor) -> Tensor

  private let name: String
  private let values: (from: Domain.Values, to: Domain.Values)
  private let function: Function
  private let inverse: Function
  private let logSlope: Function
  private let constants: [(name: String, value: Double)]

  /// Makes a layer from a function of one number.
  ///
  /// - Parameters:
  ///   - name: The name in errors.
  ///   - domain: The numbers in the domain of f.
  ///   - codomain: The numbers in the image of f.
  ///   - function: The function f.
  ///   - inverse: The inverse f⁻¹.
  ///   - logSlope: The function log|f′(x)|, in a form that is finite for every finite x.
  public init(
    _ name: String, from domain: Domain.Values = .reals, to codomain: Domain.Values = .reals,
    _ function: @escaping Function, inverse: @escaping Function, logSlope: @escaping Function
  ) {
    self.init(name, [], from: domain, to: codomain, function, inverse: inverse, logSlope: logSlope)
  }

  /// Makes a layer whose functions need these constants, which are not 0, in the dtype of the data.
  init(
    _ name: String, _ constants: [(name: String, value: Double)], from domain: Domain.Values = .reals,
    to codomain: Domain.Values = .reals, _ function: @escaping Function, inverse: @escaping Function,
    logSlope: @escaping Function
  ) {
    (self.name, self.constants) = (name, constants)
    values = (domain, codomain)
    self.function = function
    self.inverse = inverse
    self.logSlope = logSlope
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    for (what, value) in constants { try site.check(what, value, of: name) }
    let from = try values.from.tightened(values.to, at: site, of: name, function)
    let to = try values.to.tightened(values.from, at: site, of: name, inverse)
    return site.layer(
      name, from: Domain(site.inputDim, from), to: Domain(site.inputDim, to),
      forward: { _, x, _ in function(x) }, logDet: { _, x, _ in logSlope(x).sumPerRow() },
      inverse: { _, y, _ in inverse(y) })
  }
}

extension Domain.Values {
  /// The same interval without the numbers at an end that a function rounds out of its own image.
  ///
  /// For instance, 1 + λ y rounds to 0 next to y = −1 / λ. A few steps of the dtype are left out at most.
  fileprivate func tightened(
    _ image: Domain.Values, at site: Site, of who: String, _ function: Elementwise.Function
  ) throws(FlowError) -> Domain.Values {
    guard case .interval(let a, let b) = self else { return self }
    let dtype = site.dtype
    func end(_ end: Double, _ next: (Double) -> Double) -> Double {
      if end.isInfinite { return end }
      var candidate = dtype.rounded(end)
      for _ in 0..<8 {
        let y = function(.full([1, 1], next(candidate), dtype: dtype)).item
        if y.isFinite && !image.excludes(y) { return candidate }
        candidate = next(candidate)
      }
      return dtype.rounded(end)
    }
    let (low, high) = (end(a, dtype.nextUp), end(b, dtype.nextDown))
    let overflows = a.isFinite && low.isInfinite || b.isFinite && high.isInfinite
    if overflows || dtype.nextUp(low) >= high {
      throw .mismatch(
        who: who, what: "an interval", expected: "with numbers of \(dtype)", got: "\(a) to \(b)")
    }
    return .interval(low, high)
  }
}
