import Randomness
import Tensors

/// Several networks on the same inputs. Their outputs are joined on the last axis in equal shares.
///
/// Parameters: `0`, `1`, ... as of the networks. Cost: that of the networks.
public struct SideBySide: Network {
  /// The networks in the order of their outputs.
  public let networks: [any Network]

  /// Networks on the same inputs.
  public init(_ networks: any Network...) { self.networks = networks }

  /// Initial parameters and the function. Throws when the outputs cannot be shared equally.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    guard let width = outputDim.sizes.last, !networks.isEmpty, width % networks.count == 0 else {
      throw .mismatch(
        who: "SideBySide", what: "outputs", expected: "a multiple of \(networks.count)", got: "\(outputDim)")
    }
    let share = outputDim.replacing(-1, by: width / networks.count)
    let members = try networks.enumerated().map { (i, network) throws(FlowError) in
      try network(key.folded(in: i), inputDim: inputDim, outputDim: share, dtype: dtype)
    }
    let applies = members.map(\.apply)
    return (
      Params(members.map(\.params)),
      { params, x in concatenate(applies.enumerated().map { $1(params.child($0), x) }, axis: -1) }
    )
  }
}
