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
        // A vector of context is repeated at each position of an image.
        let row = (context.rank..<x.rank).reduce(context) { row, _ in row.expanded(axis: 1) }
        let spread = row.broadcast(to: x.shape.replacing(-1, by: row.shape[-1]))
        return apply(params, concatenate(x, spread, axis: -1))
      }
    )
  }
}
