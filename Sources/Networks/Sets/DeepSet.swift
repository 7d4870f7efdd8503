import Randomness
import Tensors

/// An embedding of a set that does not depend on the order of its elements.
///
/// It is a network of each element, the mean over the elements, and a network of the mean: y = ρ(1/n Σᵢ
/// φ(xᵢ)) for a set [elements, features], with perceptrons φ and ρ. The sum has a fixed order, so another
/// order of the elements changes the last bits alone.
///
/// ```swift
/// let embedding = Summary(DeepSet(), outputDim: [8])   // of exchangeable observations
/// ```
///
/// Parameters: `element` and `pooled`, as of `MLP`. Cost: that of φ per element and of ρ per set. Errors:
/// `mismatch` unless inputs are [elements, features] and outputs a vector.
///
/// Zaheer et al. 2017, *Deep sets*, arXiv 1703.06114, theorem 2, with a mean in place of the sum.
public struct DeepSet: Network {
  /// The widths of the hidden layers of φ.
  public let hidden: [Int]
  /// The number of features that are averaged.
  public let width: Int
  /// The widths of the hidden layers of ρ.
  public let pooledHidden: [Int]
  /// The function after each hidden layer.
  public let activation: Activation

  /// An embedding of sets.
  public init(
    hidden: [Int] = [64], width: Int = 64, pooledHidden: [Int] = [64], activation: Activation = .relu
  ) {
    (self.hidden, self.width) = (hidden, width)
    (self.pooledHidden, self.activation) = (pooledHidden, activation)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    try checkSet(who: "DeepSet", inputDim, outputDim)
    let (elementParams, element) = try MLP(
      hidden: hidden, activation: activation, lastWeight: .glorotUniform)(
        key.folded(in: 0), inputDim: inputDim, outputDim: [inputDim[0], width], dtype: dtype)
    let (pooledParams, pooled) = try MLP(
      hidden: pooledHidden, activation: activation, lastWeight: .glorotUniform)(
        key.folded(in: 1), inputDim: [width], outputDim: outputDim, dtype: dtype)
    return (
      ["element": elementParams, "pooled": pooledParams],
      { params, x in
        pooled(params.child("pooled"), element(params.child("element"), x).mean(axis: 1))
      }
    )
  }
}

/// Throws unless inputs are sets and outputs are vectors.
func checkSet(who: String, _ inputDim: Shape, _ outputDim: Shape) throws(FlowError) {
  guard inputDim.rank == 2, outputDim.rank == 1 else {
    throw .mismatch(
      who: who, what: "shapes", expected: "[elements, features] and [outputs]",
      got: "\(inputDim) and \(outputDim)")
  }
}
