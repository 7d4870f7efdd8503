import Randomness
import Tensors

/// A layer that applies a strictly monotone function to each number, without parameters.
///
/// Map: y = f(x) for each number. log|det J| = Σ log|f′(x)| per row; O(D).
///
/// Inverse: x = f⁻¹(y) with log-determinant −Σ log|f′(x)|; O(D).
///
/// Domain: as given; a value outside throws an error. A context is ignored. Errors: none of its own.
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
    self.name = name
    values = (domain, codomain)
    self.function = function
    self.inverse = inverse
    self.logSlope = logSlope
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    site.layer(
      name, from: Domain(site.inputDim, values.from), to: Domain(site.inputDim, values.to),
      forward: { _, x, _ in function(x) }, logDet: { _, x, _ in logSlope(x).sumPerRow() },
      inverse: { _, y, _ in inverse(y) })
  }
}
