import Randomness
import Tensors

/// A network for vectors applied to whole samples of any shape: the dense conditioner of small images.
///
/// Input and output samples are read as vectors in row-major order. Parameters: the network's. Cost: the network's.
public struct Flattened: Network {
  /// The network that sees vectors.
  public let network: any Network

  /// A network for vectors on samples of any shape.
  public init(_ network: any Network) { self.network = network }

  /// Parameters and the function. Throws what the network throws.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let (inputs, outputs) = (inputDim.count, outputDim.count)
    let (params, apply) = try network(key, inputDim: [inputs], outputDim: [outputs], dtype: dtype)
    return (
      params,
      { params, x in
        apply(params, x.reshaped(to: [x.rows, inputs])).reshaped(to: outputDim.batched(x.rows))
      }
    )
  }
}
