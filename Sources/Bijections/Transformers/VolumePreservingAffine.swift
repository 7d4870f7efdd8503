import Tensors

/// The transformer of GIN: y = x · exp(s(r)) + t with log-scales that sum to zero over each row.
///
/// s(r) is c · tanh(r / c) minus its mean over the row. log|det| = 0. Inverse: x = (y − t) · exp(−s(r)).
/// O(n) both.
///
/// It is not elementwise: a number's scale depends on the parameters of all numbers. A single number is
/// only shifted. (In the paper, the last log-scale is minus the sum of the others. The mean is symmetric in
/// all numbers.)
///
/// Raw parameters: all r, then all t. Domain: all reals. Zeros give the identity.
///
/// Sorrenson, Rother & Köthe 2020, *Disentanglement by nonlinear ICA with general incompressible-flow
/// networks (GIN)*, arXiv 2001.04872, section 3.2.
public struct VolumePreservingAffine: Transformer {
  private let scale: Affine.Scale

  /// Makes an affine map that preserves volume, with a scale of the given form.
  public init(scale: Affine.Scale = .bounded(2)) { self.scale = scale }

  public var name: String { "VolumePreservingAffine" }
  public var parameterCount: Int { 2 }
  public var traits: Mapping.Traits { .volumePreserving }
  public var isElementwise: Bool { false }

  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    (x * exp(logScale(parameters)) + parameters.block(1, of: 2), .zeros([x.rows], dtype: x.dtype))
  }
  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    ((y - parameters.block(1, of: 2)) * exp(-logScale(parameters)), .zeros([y.rows], dtype: y.dtype))
  }

  private func logScale(_ parameters: Tensor) -> Tensor {
    let s = scale(parameters.block(0, of: 2))
    let ones = [Int](repeating: 1, count: s.rank - 1)
    return s - s.sumPerRow().reshaped(to: Shape([s.rows] + ones)) / Double(max(s.shape.sample.count, 1))
  }
}
