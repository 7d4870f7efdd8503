import Networks
import Randomness
import Tensors

extension Site {
  /// The network of a coupling: `inputs` channels and the context give `outputs` channels.
  ///
  /// Data `seen` by the network adapt its initial parameters.
  func conditioner(
    _ network: any Network, _ key: Key, inputs: Int, outputs: Int, seen: Tensor? = nil
  ) throws(FlowError) -> (params: Params, apply: @Sendable (Params, Tensor, Tensor?) -> Tensor) {
    let width = inputs + (contextDim.map { $0[-1] } ?? 0)
    if let contextDim, contextDim.rank != 1, contextDim.removing(-1) != inputDim.removing(-1) {
      throw .mismatch(
        who: "coupling", what: "contextDim", expected: "a vector, or \(inputDim) but for the channels",
        got: "\(contextDim)")
    }
    let (initial, apply) = try network(
      key, inputDim: inputDim.replacing(-1, by: width), outputDim: inputDim.replacing(-1, by: outputs),
      dtype: dtype)
    var params = initial
    if let seen, contextDim == nil || initContext != nil {
      params = network.adapted(params, to: seen.joined(with: initContext))
    }
    return (params, { params, x, context in apply(params, x.joined(with: context)) })
  }
}

extension Tensor {
  /// The input of a coupling's network. A vector of context is repeated at each position of an image.
  fileprivate func joined(with context: Tensor?) -> Tensor {
    guard let context else { return self }
    let row = (context.rank..<rank).reduce(context) { row, _ in row.expanded(axis: 1) }
    return concatenate(self, row.broadcast(to: shape.replacing(-1, by: row.shape[-1])), axis: -1)
  }
}
