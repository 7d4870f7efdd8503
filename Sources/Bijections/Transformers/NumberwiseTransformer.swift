import Tensors

/// A transformer defined on a list of numbers [N] with one row of raw parameters each, [N, parameterCount].
protocol NumberwiseTransformer: Transformer {
  /// Computes the outputs of a direction and the logarithms of the derivatives of the forward direction,
  /// [N] each.
  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor)
}

extension NumberwiseTransformer {
  public var parameterOrder: ParameterOrder { .byNumber }

  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    map(x, parameters, isInverse: false)
  }

  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    let (x, logDet) = map(y, parameters, isInverse: true)
    return (x, -logDet)
  }

  private func map(
    _ x: Tensor, _ parameters: Tensor, isInverse: Bool
  ) -> (outputs: Tensor, logDet: Tensor) {
    let (y, logSlope) = map(
      numbers: x.reshaped(to: [x.count]), parameters.reshaped(to: [x.count, parameterCount]),
      isInverse: isInverse)
    return (y.reshaped(to: x.shape), logSlope.reshaped(to: x.shape).sumPerRow())
  }
}

extension Tensor {
  /// The columns of a range, such as the raw parameters of one kind.
  func columns(_ range: Range<Int>) -> Tensor { sliced(axis: 1, range) }
  /// One column as a vector.
  func column(_ i: Int) -> Tensor { sliced(axis: 1, i..<i + 1).reshaped(to: [rows]) }
  /// The difference of each column and the one before it.
  var columnDifferences: Tensor { columns(1..<shape[1]) - columns(0..<shape[1] - 1) }
}
