import Networks
import Randomness
import Tensors

extension Site {
  /// The network of a coupling: `inputs` channels and the context give `outputs` channels.
  func conditioner(
    _ network: any Network, _ key: Key, inputs: Int, outputs: Int
  ) throws(FlowError) -> (params: Params, apply: @Sendable (Params, Tensor, Tensor?) -> Tensor) {
    let width = inputs + (contextDim.map { $0[-1] } ?? 0)
    if let contextDim, contextDim.rank != 1, contextDim.removing(-1) != inputDim.removing(-1) {
      throw .mismatch(
        who: "coupling", what: "contextDim", expected: "a vector, or \(inputDim) but for the channels",
        got: "\(contextDim)")
    }
    let (params, apply) = try network(
      key, inputDim: inputDim.replacing(-1, by: width), outputDim: inputDim.replacing(-1, by: outputs),
      dtype: dtype)
    return (
      params,
      { params, x, context in
        guard let context else { return apply(params, x) }
        return apply(params, concatenate([x, context.spread(over: x.shape)], axis: -1))
      }
    )
  }
}

extension Tensor {
  /// Repeats a vector of context at each position of an image.
  fileprivate func spread(over shape: Shape) -> Tensor {
    if rank == shape.rank { return self }
    let ones = [Int](repeating: 1, count: shape.rank - 2)
    return reshaped(to: Shape([rows] + ones + [self.shape[-1]])).broadcast(
      to: shape.replacing(-1, by: self.shape[-1]))
  }
}
