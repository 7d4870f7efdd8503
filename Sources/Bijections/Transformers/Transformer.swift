import Tensors

/// A monotone map of each number whose parameters a conditioner computes, in couplings and autoregressive
/// flows.
///
/// Numbers x [..., n] have raw parameters [..., n · parameterCount], any real values, in the order
/// `parameterOrder`. Both directions return their outputs and log|det| per row, the sum of the logarithms
/// of the derivatives. Raw zeros should give a map near the identity, since networks start with zeros in
/// their last layer.
///
/// A map is finite for every finite input whose result the dtype holds. Between adjacent floats, rounding may
/// make it fall by a unit in the last place.
public protocol Transformer: Sendable {
  /// The name in errors and summaries.
  var name: String { get }
  /// The number of raw parameters per number.
  var parameterCount: Int { get }
  /// The properties that hold for all parameters.
  var traits: Mapping.Traits { get }
  /// Whether a number's output depends on its own parameters only. Autoregressive flows require this.
  var isElementwise: Bool { get }
  /// The order of the raw parameters of several numbers on the last axis.
  var parameterOrder: ParameterOrder { get }
  /// The length of the circle that this is a map of; nil for a map of the real line. A conditioner sees sines
  /// and cosines of numbers on a circle.
  var period: Double? { get }

  /// Maps data to latents, and computes log|det| per row.
  func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor)
  /// Maps latents to data, and computes log|det| per row.
  func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor)
}

/// The order of the raw parameters of several numbers on one axis.
public enum ParameterOrder: Sendable, Hashable {
  /// The first parameter of every number, then the second of every number.
  case byParameter
  /// All parameters of the first number, then all of the second, as for splines.
  case byNumber
}

extension Transformer {
  public var traits: Mapping.Traits { [] }
  public var isElementwise: Bool { true }
  public var parameterOrder: ParameterOrder { .byParameter }
  public var period: Double? { nil }
}

extension Tensor {
  /// The i-th of `count` equal parts of the last axis, such as one parameter of every number.
  public func block(_ i: Int, of count: Int) -> Tensor {
    let width = shape[-1] / count
    return sliced(axis: -1, i * width..<(i + 1) * width)
  }
}
