/// The number of zeros around the positions of a convolution's input.
public enum ConvolutionPadding: Sendable, Hashable {
  /// As many zeros as give ⌈size / stride⌉ output positions. Both ends share them; the odd one is last.
  case same
  /// No zeros: windows lie within the input.
  case valid
  /// A given number of zeros at both ends of each axis.
  case symmetric([Int])
}

/// The convolution of x [batch, positions..., in] with w [window..., in, out], on one to three axes.
///
/// As usual in networks, it is a cross-correlation: y[p, o] = Σ x[p · stride + k − padding, i] w[k, i, o].
///
/// The sum is over taps k and channels i, and x is 0 outside.
///
/// - Parameters:
///   - strides: one per axis; nil stands for 1.
///   - padding: the zeros around x.
/// - Precondition: ranks, channels and dtypes agree; strides are positive; the window fits.
public func convolution(
  _ x: Tensor, _ w: Tensor, strides: [Int]? = nil, padding: ConvolutionPadding = .same
) -> Tensor {
  let geometry = convolutionGeometry(x, w, strides, padding)
  return ConvolutionProduct(derivative: .byOutput, geometry: geometry)(x, w)
}

/// f(convolution + bias), with a bias [out] of one number per channel.
///
/// - Precondition: as of `convolution(_:_:strides:padding:)`.
public func convolution(
  _ x: Tensor, _ w: Tensor, _ bias: Tensor, _ activation: Activation = .identity, strides: [Int]? = nil,
  padding: ConvolutionPadding = .same
) -> Tensor {
  require(
    bias.shape == [w.shape[-1]] && bias.dtype == w.dtype, "convolution to \(w.shape), bias \(bias.shape)")
  let geometry = convolutionGeometry(x, w, strides, padding)
  return activation.finished(ConvolutionLayer(geometry: geometry, activation: activation.fused)(x, w, bias))
}

/// The adjoint of `convolution` in its first argument.
///
/// It maps y [batch, positions..., out] to x [batch, positions..., in].
///
/// w is [window..., in, out]. For `.same`, x has `stride` times as many positions as y. Otherwise it has as
/// many as the windows cover.
///
/// - Precondition: as of `convolution`.
public func transposedConvolution(
  _ y: Tensor, _ w: Tensor, strides: [Int]? = nil, padding: ConvolutionPadding = .same
) -> Tensor {
  let rank = y.rank - 2
  checkConvolution(y, w, strides, channels: w.shape[-1])
  let axes = (0..<rank).map { i in
    let (small, window, stride) = (y.shape[i + 1], w.shape[i], strides?[i] ?? 1)
    let covered = (small - 1) * stride + window
    let large =
      switch padding {
      case .same: small * stride
      case .valid: covered
      case .symmetric(let sizes): covered - 2 * sizes[i]
      }
    return padding.axis(i, large: large, small: small, window: window, stride: stride)
  }
  return ConvolutionProduct(derivative: .byInput, geometry: ConvolutionGeometry(axes))(y, w)
}

extension ConvolutionPadding {
  /// The number of output positions along an axis. It is not positive where the window does not fit.
  package func outputs(of axis: Int, inputs: Int, window: Int, stride: Int) -> Int {
    switch self {
    case .same: return (inputs + stride - 1) / stride
    case .valid: return inputs < window ? 0 : (inputs - window) / stride + 1
    case .symmetric(let sizes):
      let covered = inputs + 2 * (axis < sizes.count ? sizes[axis] : sizes[0])
      return covered < window ? 0 : (covered - window) / stride + 1
    }
  }

  /// The positions of the taps along an axis.
  fileprivate func axis(
    _ axis: Int, large: Int, small: Int, window: Int, stride: Int
  ) -> ConvolutionGeometry.Axis {
    let low =
      switch self {
      case .same: max((small - 1) * stride + window - large, 0) / 2
      case .valid: 0
      case .symmetric(let sizes): sizes[axis]
      }
    return .init(large: large, small: small, window: window, stride: stride, padding: low)
  }
}

private func checkConvolution(_ x: Tensor, _ w: Tensor, _ strides: [Int]?, channels: Int) {
  let rank = x.rank - 2
  require(
    (1...3).contains(rank) && w.rank == rank + 2 && x.shape[-1] == channels && x.dtype == w.dtype
      && (strides.map { $0.count == rank && $0.allSatisfy { $0 > 0 } } ?? true),
    "convolution of \(x.shape) \(x.dtype) with \(w.shape) \(w.dtype), strides \(strides ?? [])")
}

private func convolutionGeometry(
  _ x: Tensor, _ w: Tensor, _ strides: [Int]?, _ padding: ConvolutionPadding
) -> ConvolutionGeometry {
  checkConvolution(x, w, strides, channels: w.rank >= 2 ? w.shape[-2] : 0)
  return ConvolutionGeometry(
    (0..<x.rank - 2).map { i in
      let (large, window, stride) = (x.shape[i + 1], w.shape[i], strides?[i] ?? 1)
      let small = padding.outputs(of: i, inputs: large, window: window, stride: stride)
      require(small > 0, "a window of \(w.shape) does not fit \(x.shape) with \(padding)")
      return padding.axis(i, large: large, small: small, window: window, stride: stride)
    })
}
