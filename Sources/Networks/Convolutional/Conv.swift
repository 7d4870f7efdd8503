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
    self.window = window
    self.stride = stride
    self.padding = padding
    self.isTransposed = isTransposed
    self.activation = activation
    self.weight = weight
    self.bias = bias
  }

  /// The shape of the output for an input shape and a number of output channels.
  ///
  /// Throws `FlowError.mismatch` for an input without positions or with too few of them.
  public func outputDim(of inputDim: Shape, channels: Int) throws(FlowError) -> Shape {
    let (windows, strides) = try geometry(inputDim)
    let sizes = (0..<windows.count).map { i in
      let (size, window, stride) = (inputDim[i], windows[i], strides[i])
      if !isTransposed {
        return paddings(windows.count).outputs(of: i, inputs: size, window: window, stride: stride)
      }
      switch paddings(windows.count) {
      case .same: return size * stride
      case .valid: return (size - 1) * stride + window
      case .symmetric(let ends): return (size - 1) * stride + window - 2 * ends[i]
      }
    }
    if sizes.contains(where: { $0 < 1 }) {
      throw .mismatch(
        who: "Conv", what: "a window that fits", expected: "\(inputDim)", got: "\(window) \(padding)")
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
    let (windows, strides) = try geometry(inputDim)
    let (ends, isTransposed, activation) = (paddings(windows.count), isTransposed, activation)
    let channels = [inputDim[-1], outputDim[-1]]
    let params: Params = [
      "weight": .leaf(
        weight(
          key.folded(in: 0), Shape(windows + (isTransposed ? channels.reversed() : channels)), dtype: dtype)),
      "bias": .leaf(bias(key.folded(in: 1), [outputDim[-1]], dtype: dtype)),
    ]
    return (
      params,
      { params, x in
        let (w, b) = (params["weight"], params["bias"])
        if isTransposed {
          return activation(transposedConvolution(x, w, strides: strides, padding: ends) + b)
        }
        return convolution(x, w, b, activation, strides: strides, padding: ends)
      }
    )
  }

  private func geometry(_ inputDim: Shape) throws(FlowError) -> (windows: [Int], strides: [Int]) {
    let rank = inputDim.rank - 1
    func spread(_ shape: Shape) -> [Int] {
      shape.rank == 1 ? [Int](repeating: shape[0], count: max(rank, 0)) : shape.sizes
    }
    let (windows, strides) = (spread(window), spread(stride))
    guard (1...3).contains(rank), windows.count == rank, strides.count == rank,
      windows.allSatisfy({ $0 > 0 }), strides.allSatisfy({ $0 > 0 })
    else {
      throw .mismatch(
        who: "Conv", what: "a sample [positions..., channels] for",
        expected: "window \(window), stride \(stride)", got: "\(inputDim)")
    }
    return (windows, strides)
  }

  private func paddings(_ rank: Int) -> ConvolutionPadding {
    if case .symmetric(let ends) = padding, ends.count == 1 {
      return .symmetric([Int](repeating: ends[0], count: rank))
    }
    return padding
  }
}
