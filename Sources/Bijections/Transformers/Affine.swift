import Tensors

/// An affine map y = x · exp(s(r)) + t.
///
/// log|det| = Σ s(r). Inverse: x = (y − t) · exp(−s(r)). O(n) both.
///
/// Raw parameters: all r, then all t. Domain: all reals. Zeros give the identity for `.bounded` and
/// `.exponential`.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, eq. 8.
public struct Affine: Transformer {
  /// The form of the scale, a function from the raw r to the logarithm of the scale.
  public typealias Scale = LogScale

  private let scale: Scale

  /// Makes an affine map with a scale of the given form.
  public init(scale: Scale = .bounded(2)) { self.scale = scale }

  public var name: String { "Affine" }
  public var parameterCount: Int { 2 }

  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    AffineMap.map(x, parameters, scale: scale, isInverse: false)
  }

  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    AffineMap.map(y, parameters, scale: scale, isInverse: true)
  }
}

/// A shift y = x + t.
///
/// log|det| = 0. Inverse: x = y − t. O(n) both. Raw parameters: t. Domain: all reals. Zeros give the
/// identity.
///
/// Dinh, Krueger & Bengio 2014, *NICE*, arXiv 1410.8516, section 3.2.
public struct Shift: Transformer {
  /// Makes a shift.
  public init() {}

  public var name: String { "Shift" }
  public var parameterCount: Int { 1 }
  public var traits: Mapping.Traits { .volumePreserving }

  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    (x + parameters, .zeros([x.rows], dtype: x.dtype))
  }
  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    (y - parameters, .zeros([y.rows], dtype: y.dtype))
  }
}
