import Randomness
import Tensors

/// A dense layer with a mask that keeps some weights at zero: y = f(x (W ∘ mask) + b) on the last axis.
///
/// Parameters: `weight` [in, out], by default Glorot uniform; `bias` [out], by default zeros; frozen: `mask`
/// [in, out]. Since the tree holds the mask, it is the same function in a layer with another mask. Cost: 2 ·
/// in · out operations per row.
public struct MaskedDense: Network {
  private let mask: Tensor
  private let activation: Activation
  private let weight, bias: Initializer

  /// A dense layer with weights where `mask` [in, out] is 1 and none where it is 0.
  ///
  /// - Precondition: the mask is a matrix.
  public init(
    mask: Tensor, activation: Activation = .identity, weight: Initializer = .glorotUniform,
    bias: Initializer = .zeros
  ) {
    require(mask.rank == 2, "MaskedDense: a mask is a matrix [in, out], got shape \(mask.shape)")
    (self.mask, self.activation, self.weight, self.bias) = (mask, activation, weight, bias)
  }

  /// Initial parameters and the function. Throws when the last axes are not those of the mask.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    guard inputDim.rank >= 1, outputDim.rank >= 1, [inputDim[-1], outputDim[-1]] == mask.shape else {
      throw .mismatch(
        who: "MaskedDense", what: "inputs and outputs as in the mask", expected: "\(mask.shape)",
        got: "\(inputDim) to \(outputDim)")
    }
    let layer = Dense(activation: activation, weight: weight, bias: bias)
    let (params, apply) = try layer(key, inputDim: inputDim, outputDim: outputDim, dtype: dtype)
    let children = params.children + [.init("mask", .frozen(mask.cast(to: dtype)))]
    return (
      .branch(children),
      { params, x in
        apply(["weight": .leaf(params["weight"] * params["mask"]), "bias": .leaf(params["bias"])], x)
      }
    )
  }
}
