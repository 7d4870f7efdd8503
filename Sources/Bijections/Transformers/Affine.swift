import Tensors

/// y = x · exp(s(r)) + t.
///
/// log|det| = Σ s(r). Inverse: x = (y − t) · exp(−s(r)). O(n) both.
///
/// Raw parameters: all r, then all t. Domain: all reals. Zeros give the identity for `.bounded` and `.exponential`.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, eq. 8.
public struct Affine: Transformer {
  /// How the raw r becomes the logarithm of the scale.
  public typealias Scale = LogScale

  private let scale: Scale

  /// An affine map with a scale of the given form.
  public init(scale: Scale = .bounded(2)) { self.scale = scale }

  /// `Affine`.
  public var name: String { "Affine" }
  /// r and t.
  public var parameterCount: Int { 2 }

  /// y = x · exp(s) + t.
  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    AffineMap.map(x, parameters, scale: scale, isInverse: false)
  }

  /// x = (y − t) · exp(−s).
  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    AffineMap.map(y, parameters, scale: scale, isInverse: true)
  }
}

/// y = x + t.
///
/// log|det| = 0. Inverse: x = y − t. O(n) both. Raw parameters: t. Domain: all reals. Zeros give the identity.
///
/// Dinh, Krueger & Bengio 2014, *NICE*, arXiv 1410.8516, section 3.2.
public struct Shift: Transformer {
  /// A shift.
  public init() {}
  /// `Shift`.
  public var name: String { "Shift" }
  /// t.
  public var parameterCount: Int { 1 }
  /// The log-determinant is 0.
  public var traits: Mapping.Traits { .volumePreserving }

  /// y = x + t.
  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    (x + parameters, .zeros([x.rows], dtype: x.dtype))
  }
  /// x = y − t.
  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    (y - parameters, .zeros([y.rows], dtype: y.dtype))
  }
}
