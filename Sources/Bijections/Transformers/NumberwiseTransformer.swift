import Tensors

/// A transformer written for a list of numbers: x [N] and, a row each, their raw parameters [N, parameterCount].
protocol NumberwiseTransformer: Transformer {
  /// Outputs and the logarithms of the derivatives, [N] each.
  func forward(number x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor)
  /// x, and the logarithm of the *forward* derivative there, [N] each.
  func inverse(number y: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor)
}

extension NumberwiseTransformer {
  /// All parameters of a number stand together.
  public var parameterOrder: ParameterOrder { .byNumber }

  /// Data to latent: outputs, and log|det| a row.
  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    let (y, logSlope) = forward(
      number: x.reshaped(to: [x.count]), parameters.reshaped(to: [x.count, parameterCount]))
    return (y.reshaped(to: x.shape), logSlope.reshaped(to: x.shape).sumPerRow())
  }

  /// Latent to data: outputs, and log|det| a row.
  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    let (x, logSlope) = inverse(
      number: y.reshaped(to: [y.count]), parameters.reshaped(to: [y.count, parameterCount]))
    return (x.reshaped(to: y.shape), -logSlope.reshaped(to: y.shape).sumPerRow())
  }
}

extension Tensor {
  /// The columns of a range: raw parameters of one kind, of a list of numbers.
  func columns(_ range: Range<Int>) -> Tensor { sliced(axis: 1, range) }
  /// One column as a list.
  func column(_ i: Int) -> Tensor { sliced(axis: 1, i..<i + 1).reshaped(to: [rows]) }
}
