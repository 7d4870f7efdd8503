import Randomness
import Tensors

/// A learned embedding of a context: what a conditional flow should see in place of the raw one.
///
/// Use it with `Conditioned`, which gives any distribution or bijection the embedded context:
/// `Conditioned(flow, by: Summary(hidden: [64], width: 8))`.
///
/// The embedding must tell contexts apart from the start. Where it is constant, and the conditioner behind it starts at
/// zero as conditioners do, no gradient reaches either, ever. A network whose last layer starts at zero, `MLP`'s default,
/// is therefore refused.
public struct Summary: Sendable {
  /// The network that embeds.
  public let network: any Network
  private let outputDim: @Sendable (_ contextDim: Shape) -> Shape

  /// An embedding of the context's shape with `width` channels: a vector for a vector.
  public init(_ network: any Network, width: Int) {
    self.network = network
    outputDim = { $0.replacing(-1, by: width) }
  }

  /// An embedding of any shape that the network can give.
  public init(_ network: any Network, outputDim: Shape) {
    self.network = network
    self.outputDim = { _ in outputDim }
  }

  /// A perceptron with the given hidden layers, whose last layer does not start at zero.
  public init(hidden: [Int], width: Int, activation: Activation = .relu) {
    self.init(MLP(hidden: hidden, activation: activation, lastWeight: .glorotUniform), width: width)
  }

  /// Parameters, the function, and one embedded sample's shape.
  ///
  /// - Throws: `FlowError` for a context that the network cannot take, and for a network that starts as a constant.
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
