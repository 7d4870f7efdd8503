import Tensors

/// A monotone map of each number, whose parameters a conditioner gives: what couplings and autoregressive flows share.
///
/// Numbers x [..., n] meet raw parameters [..., n · parameterCount], any real values, in one of two orders
/// (`parameterOrder`). Both directions return their outputs and log|det| a row, the sum of the logarithms of the
/// derivatives. Raw zeros should give a map near the identity, since networks start with zeros in their last layer.
public protocol Transformer: Sendable {
  /// Who this is, in errors and summaries.
  var name: String { get }
  /// The raw parameters of one number.
  var parameterCount: Int { get }
  /// What holds whatever the parameters.
  var traits: Mapping.Traits { get }
  /// Whether a number's image depends on its own parameters alone: what an autoregressive flow needs.
  var isElementwise: Bool { get }
  /// How the raw parameters of several numbers lie on the last axis.
  var parameterOrder: ParameterOrder { get }

  /// Data to latent: outputs, and log|det| a row.
  func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor)
  /// Latent to data: outputs, and log|det| a row.
  func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor)
}

/// How the raw parameters of several numbers lie on one axis.
public enum ParameterOrder: Sendable, Hashable {
  /// The first parameter of every number, then the second of every number: what is read in blocks.
  case byParameter
  /// All parameters of the first number, then all of the second: what is read number by number, as splines are.
  case byNumber
}

extension Transformer {
  /// None.
  public var traits: Mapping.Traits { [] }
  /// True.
  public var isElementwise: Bool { true }
  /// By parameter.
  public var parameterOrder: ParameterOrder { .byParameter }
}

extension Tensor {
  /// The i-th of `count` equal parts of the last axis: a parameter of every number, where parameters come in blocks.
  public func block(_ i: Int, of count: Int) -> Tensor {
    let width = shape[-1] / count
    return sliced(axis: -1, i * width..<(i + 1) * width)
  }
}
