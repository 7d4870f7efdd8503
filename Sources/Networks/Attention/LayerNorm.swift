import CKernels
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
    let (gain, bias) = (params["gain"], params["bias"])
    require(
      gain.shape == [x.shape[-1]] && bias.shape == gain.shape && gain.dtype == x.dtype
        && bias.dtype == x.dtype,
      "LayerNorm of \(x.shape) \(x.dtype), gain \(gain.shape) \(gain.dtype), "
        + "bias \(bias.shape) \(bias.dtype)")
    return Standardization()(x, gain, bias)
  }
}

/// The kernels of `LayerNorm`, for x, a gain and a bias.
struct Standardization: FusedPrimitive {
  private static let epsilon = 1e-5

  func value(_ inputs: Operands) -> Operands {
    let (x, gain, bias) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    let y = Storage(like: x)
    ck_layer_norm(
      x.dtype.kernel, x.shape.count(of: 0..<x.shape.rank - 1), x.shape[-1], Self.epsilon, x.address,
      gain.address, bias.address, y.address)
    return Operands(Tensor(y))
  }

  func composed(_ inputs: Operands) -> Operands {
    let centred = inputs[0] - inputs[0].mean(axis: -1, keepDims: true)
    let deviation = sqrt(square(centred).mean(axis: -1, keepDims: true) + Self.epsilon)
    return Operands(centred * reciprocal(deviation) * inputs[1] + inputs[2])
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, x, gain) = (g.storage(0), inputs.storage(0), inputs.storage(1))
    let (gx, ggain, gbias) = (Storage(like: x), Storage(like: gain), Storage(like: gain))
    ck_layer_norm_pullback(
      x.dtype.kernel, x.shape.count(of: 0..<x.shape.rank - 1), x.shape[-1], Self.epsilon, g.address,
      x.address, gain.address, gx.address, ggain.address, gbias.address)
    return Operands(Tensor(gx), Tensor(ggain), Tensor(gbias))
  }
}
