import Randomness
import Tensors

/// One strictly monotone map of each number, without parameters: a layer from three functions of one number.
///
/// Map: y = f(x), number by number. log|det J| = Σ log|f′(x)|, a row; O(D).
///
/// Inverse: x = f⁻¹(y), whose log-determinant negates the same formula at x; O(D). No parameters.
///
/// Domain: as given; a value outside throws, and none is clipped. A context is ignored. Errors: none of its own.
///
/// ```swift
/// let cube = Elementwise("Cube", from: .positive, to: .positive) { $0 * $0 * $0 } inverse: {
///   pow($0, 1.0 / 3)
/// } logSlope: { log(3 * $0 * $0) }
/// ```
public struct Elementwise: Bijection {
  /// A function of each number of a tensor.
  public typealias Function = @Sendable (Tensor) -> Tensor

  private let name: String
  private let values: (from: Domain.Values, to: Domain.Values)
  private let function: Function
  private let inverse: Function
  private let logSlope: Function

  /// A layer from a map of one number.
  ///
  /// - Parameters:
  ///   - name: who complains.
  ///   - domain: the numbers that f takes.
  ///   - codomain: the numbers that f gives.
  ///   - function: f.
  ///   - inverse: f⁻¹.
  ///   - logSlope: log|f′| as a function of x, in a form that is finite wherever x is.
  public init(
    _ name: String, from domain: Domain.Values = .reals, to codomain: Domain.Values = .reals,
    _ function: @escaping Function, inverse: @escaping Function, logSlope: @escaping Function
  ) {
    self.name = name
    values = (domain, codomain)
    self.function = function
    self.inverse = inverse
    self.logSlope = logSlope
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (function, inverse, logSlope) = (function, inverse, logSlope)
    return site.layer(name, from: Domain(site.inputDim, values.from), to: Domain(site.inputDim, values.to)) {
      _, x, _ in
      function(x)
    } logDet: { _, x, _ in
      logSlope(x).sumPerRow()
    } inverse: { _, y, _ in
      inverse(y)
    }
  }
}
