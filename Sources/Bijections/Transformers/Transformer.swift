/// A monotone map of each number, whose parameters a conditioner gives: what couplings and autoregressive flows share.
///
/// Numbers x [..., n] meet raw parameters [..., n · parameterCount], any real values, in an order that the transformer's
/// documentation states. Both directions return their outputs and log|det| a row, the sum of the logarithms of the
/// derivatives. Raw zeros should give a map near the identity, since networks start with zeros in their last layer.
public protocol Transformer: Sendable {
  /// Who this is, in errors and summaries.
  var name: String { get }
  /// The raw parameters of one number.
  var parameterCount: Int { get }
  /// What holds whatever the parameters.
  var traits: Mapping.Traits { get }

  /// Data to latent: outputs, and log|det| a row.
  func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor)
  /// Latent to data: outputs, and log|det| a row.
  func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor)
}

extension Transformer {
  /// None.
  public var traits: Mapping.Traits { [] }
}

extension Tensor {
  /// The i-th of `count` equal parts of the last axis: a parameter of every number, where parameters come in blocks.
  public func block(_ i: Int, of count: Int) -> Tensor {
    let width = shape[-1] / count
    return sliced(axis: -1, i * width..<(i + 1) * width)
  }
}
