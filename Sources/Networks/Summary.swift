import Randomness
import Tensors

/// A learned embedding of a context, which a conditional flow sees in place of the raw context.
///
/// `Conditioned` gives any distribution or bijection the embedded context:
/// `Conditioned(flow, by: Summary(hidden: [64], width: 8))`.
///
/// The embedding must tell contexts apart from the start. If it is constant and the conditioner behind it
/// starts at zero, as conditioners do, no gradient ever reaches either. Therefore a network whose last layer
/// starts at zero, the default of `MLP`, is refused.
public struct Summary: Sendable {
  /// The network of the embedding.
  public let network: any Network
  private let outputDim: @Sendable (_ contextDim: Shape) -> Shape

  /// An embedding in the shape of the context, with `width` channels.
  public init(_ network: any Network, width: Int) {
    self.network = network
    outputDim = { $0.replacing(-1, by: width) }
  }

  /// An embedding of a given shape.
  public init(_ network: any Network, outputDim: Shape) {
    self.network = network
    self.outputDim = { _ in outputDim }
  }

  /// An embedding by a perceptron with the given hidden layers. Its last layer does not start at zero.
  public init(hidden: [Int], width: Int, activation: Activation = .relu) {
    self.init(MLP(hidden: hidden, activation: activation, lastWeight: .glorotUniform), width: width)
  }

  /// Initial parameters, the function, and the shape of one embedded context.
  ///
  /// Throws `FlowError` if the network cannot take the context, or if it starts as a constant.
  public func initialize(
    _ key: Key, contextDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply, outputDim: Shape) {
    let outputDim = outputDim(contextDim)
    let (params, apply) = try network(
      key.folded(in: 0), inputDim: contextDim, outputDim: outputDim, dtype: dtype)
    let probe = apply(params, key.folded(in: 1).normal(contextDim.batched(16)).cast(to: dtype))
    if (probe .!= probe[0..<1]).max(axis: 0).doubles.allSatisfy({ $0 == 0 }) {
      throw .mismatch(
        who: "Summary", what: "a network",
        expected: "that tells contexts apart: MLP(..., lastWeight: .glorotUniform)",
        got: "one that starts as a constant")
    }
    return (params, apply, outputDim)
  }
}
