import Randomness
import Tensors

/// Layer normalization: the channels of each position get mean 0 and variance 1, then a gain and a bias.
///
/// y = (x − m) / √(v + 10⁻⁵) · gain + bias, with m and v the mean and the population's variance over the last
/// axis. The constant is PyTorch's.
///
/// Parameters: `gain` [channels], which starts at 1, and `bias` [channels], which starts at 0. Cost: O(n).
///
/// Errors: `mismatch` if input and output have different shapes.
///
/// Ba, Kiros & Hinton 2016, *Layer normalization*, arXiv 1607.06450, eq. 4.
public struct LayerNorm: Network {
  /// A layer normalization.
  public init() {}

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    guard inputDim.rank >= 1, inputDim == outputDim else {
      throw .mismatch(who: "LayerNorm", what: "outputs", expected: "\(inputDim)", got: "\(outputDim)")
    }
    return (Self.params(inputDim[-1], dtype), { params, x in Self.apply(params, x) })
  }

  static func params(_ channels: Int, _ dtype: DType) -> Params {
    ["gain": .leaf(.full([channels], 1, dtype: dtype)), "bias": .leaf(.zeros([channels], dtype: dtype))]
  }

  static func apply(_ params: Params, _ x: Tensor) -> Tensor {
    let centred = x - x.mean(axis: -1, keepDims: true)
    let deviation = sqrt(square(centred).mean(axis: -1, keepDims: true) + 1e-5)
    return centred / deviation * params["gain"] + params["bias"]
  }
}
