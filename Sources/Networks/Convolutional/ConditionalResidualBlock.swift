import Randomness
import Tensors

/// A conditioner for images with a context vector.
///
/// The input x [positions · channels + context] is an image in row-major order, followed by the context. A
/// dense layer turns the context into an image of one channel, h = relu(context W + b). Convolutions see
/// both: y = ConvNet(image, h).
///
/// Parameters: `dense` as of `Dense`, `conv` as of `ConvNet`. Errors: `mismatch` when the input is too short
/// for the image.
///
/// Witte et al. 2023, *InvertibleNetworks.jl*, arXiv 2312.13480.
public struct ConditionalResidualBlock: Network {
  /// The shape of the image.
  public let image: Shape
  /// The convolutions.
  public let network: ConvNet

  /// A conditional block for images of a shape.
  public init(image: Shape, network: ConvNet) {
    (self.image, self.network) = (image, network)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let (count, width) = (image.count, inputDim.count)
    guard inputDim.rank == 1, width > count else {
      throw .mismatch(
        who: "ConditionalResidualBlock", what: "a vector of more than", expected: "\(count) numbers",
        got: "\(inputDim)")
    }
    let (plane, image) = (image.replacing(-1, by: 1), image)
    let dense = try Dense(activation: .relu, weight: .heNormal)(
      key.folded(in: 0), inputDim: [width - count], outputDim: [plane.count], dtype: dtype)
    let outputs = image.replacing(-1, by: outputDim.count / plane.count)
    guard outputs.count == outputDim.count else {
      throw .mismatch(
        who: "ConditionalResidualBlock", what: "outputs", expected: "a multiple of \(plane.count)",
        got: "\(outputDim)")
    }
    let conv = try network(
      key.folded(in: 1), inputDim: image.replacing(-1, by: image[-1] + 1), outputDim: outputs, dtype: dtype)
    return (
      ["dense": dense.params, "conv": conv.params],
      { params, x in
        let h = dense.apply(params.child("dense"), x.sliced(axis: 1, count..<width))
        let pixels = x.sliced(axis: 1, 0..<count).reshaped(to: image.batched(x.rows))
        let both = concatenate([pixels, h.reshaped(to: plane.batched(x.rows))], axis: -1)
        return conv.apply(params.child("conv"), both).reshaped(to: outputDim.batched(x.rows))
      }
    )
  }
}
