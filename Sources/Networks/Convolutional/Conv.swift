import Randomness
import Tensors

/// A convolution of samples with one to three axes of positions, channels last: y = f(x ∗ w + b).
///
/// Parameters: `weight` [window..., in, out], by default He normal; `bias` [out], by default zeros. A
/// transposed convolution enlarges its input and has `weight` [window..., out, in]. Cost: 2 · taps · in · out
/// operations per position.
///
/// Errors: `mismatch` for an output shape that differs from that of the convolution.
public struct Conv: Network {
  /// The sizes of the window: one number for all axes, or one per axis.
  public let window: Shape
  /// The step of the window: one number for all axes, or one per axis.
  public let stride: Shape
  /// The zeros around the input.
  public let padding: ConvolutionPadding
  /// Whether this is a transposed convolution, the adjoint of a convolution.
  public let isTransposed: Bool
  /// The function f.
  public let activation: Activation
  /// The initializer of `weight`.
  public let weight: Initializer
  /// The initializer of `bias`.
  public let bias: Initializer

  /// A convolution.
  public init(
    _ window: Shape, stride: Shape = 1, padding: ConvolutionPadding = .same, isTransposed: Bool = false,
    activation: Activation = .identity, weight: Initializer = .heNormal, bias: Initializer = .zeros
  ) {
    (self.window, self.stride, self.padding) = (window, stride, padding)
    (self.isTransposed, self.activation) = (isTransposed, activation)
    (self.weight, self.bias) = (weight, bias)
  }

  /// The shape of the output for an input shape and a number of output channels.
  ///
  /// Throws `FlowError.mismatch` for an input without positions or with too few of them.
  public func outputDim(of inputDim: Shape, channels: Int) throws(FlowError) -> Shape {
    let (windows, strides, padding) = try geometry(inputDim)
    let sizes = windows.indices.map { i in
      let (size, window, stride) = (inputDim[i], windows[i], strides[i])
      if !isTransposed { return padding.outputs(of: i, inputs: size, window: window, stride: stride) }
      switch padding {
      case .same: return size * stride
      case .valid: return (size - 1) * stride + window
      case .symmetric(let ends): return (size - 1) * stride + window - 2 * ends[i]
      }
    }
    if sizes.contains(where: { $0 < 1 }) {
      throw .mismatch(
        who: "Conv", what: "a window that fits", expected: "\(inputDim)", got: "\(window) \(self.padding)")
    }
    return Shape(sizes + [channels])
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let shape = try self.outputDim(of: inputDim, channels: outputDim[-1])
    guard shape == outputDim else {
      throw .mismatch(who: "Conv", what: "an output of shape", expected: "\(shape)", got: "\(outputDim)")
    }
    let (windows, strides, padding) = try geometry(inputDim)
    let (isTransposed, activation) = (isTransposed, activation)
    let channels = [inputDim[-1], outputDim[-1]]
    let weights = Shape(windows + (isTransposed ? channels.reversed() : channels))
    let params: Params = [
      "weight": .leaf(weight(key.folded(in: 0), weights, dtype: dtype)),
      "bias": .leaf(bias(key.folded(in: 1), [outputDim[-1]], dtype: dtype)),
    ]
    return (
      params,
      { params, x in
        let (w, b) = (params["weight"], params["bias"])
        if isTransposed {
          return activation(transposedConvolution(x, w, strides: strides, padding: padding) + b)
        }
        return convolution(x, w, b, activation, strides: strides, padding: padding)
      }
    )
  }

  /// The window, the strides and the padding with one number per axis.
  private func geometry(
    _ inputDim: Shape
  ) throws(FlowError) -> (windows: [Int], strides: [Int], padding: ConvolutionPadding) {
    let rank = inputDim.rank - 1
    func spread(_ sizes: [Int]) -> [Int] {
      sizes.count == 1 ? [Int](repeating: sizes[0], count: max(rank, 0)) : sizes
    }
    let (windows, strides) = (spread(window.sizes), spread(stride.sizes))
    guard (1...3).contains(rank), windows.count == rank, strides.count == rank,
      (windows + strides).allSatisfy({ $0 > 0 })
    else {
      throw .mismatch(
        who: "Conv", what: "a sample [positions..., channels] for",
        expected: "window \(window), stride \(stride)", got: "\(inputDim)")
    }
    guard case .symmetric(let ends) = padding else { return (windows, strides, padding) }
    return (windows, strides, .symmetric(spread(ends)))
  }
}
