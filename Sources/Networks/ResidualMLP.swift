import Randomness
import Tensors

/// A residual network on the last axis: blocks of two dense layers between a first and a last dense layer.
///
/// h₀ = x W + b, hᵢ = hᵢ₋₁ + f(f(hᵢ₋₁) Uᵢ + cᵢ) Vᵢ + dᵢ, y = hₙ W′ + b′. These are the pre-activation blocks
/// of neural spline flows, without batch normalization, so rows do not depend on each other.
///
/// With `dropout`, a fit by the objective `Dropout` sets numbers before each Vᵢ to zero at random. See there.
/// The network itself draws nothing.
///
/// Parameters: `first`, `block_i` and `last`. A block has `0`, `1` and, if numbers are dropped, the frozen
/// `dropout` [width], the probabilities. All weights are He normal by default, but each Vᵢ and the last
/// weight start at zero. Cost: that of dense layers of these widths.
///
/// Errors: `mismatch` for shapes that differ in more than their last axis.
///
/// He et al. 2016, *Identity mappings in deep residual networks*, arXiv 1603.05027; Durkan et al. 2019,
/// *Neural spline flows*, arXiv 1906.04032, section 5.
public struct ResidualMLP: Network {
  /// The width of all hidden layers.
  public let width: Int
  /// The number of blocks.
  public let blocks: Int
  /// The function f.
  public let activation: Activation
  /// The probability that `Dropout` sets a number of a block to zero.
  public let dropout: Double
  /// The initializer of the first weights and of the first weight of each block.
  public let weight: Initializer
  /// The initializer of the last weight of each block and of the network.
  public let lastWeight: Initializer

  /// A residual network.
  ///
  /// - Precondition: `blocks` is not negative, and `dropout` is in 0..<1.
  public init(
    width: Int, blocks: Int = 2, activation: Activation = .relu, dropout: Double = 0,
    weight: Initializer = .heNormal, lastWeight: Initializer = .zeros
  ) {
    require(blocks >= 0, "ResidualMLP: blocks is not negative, got \(blocks)")
    require((0..<1).contains(dropout), "ResidualMLP: dropout is in 0..<1, got \(dropout)")
    (self.width, self.blocks, self.activation) = (width, blocks, activation)
    (self.dropout, self.weight, self.lastWeight) = (dropout, weight, lastWeight)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let (activation, drops) = (activation, dropout > 0)
    let inside = inputDim.replacing(-1, by: width)
    let (firstParams, first) = try Dense(weight: weight)(
      key.folded(in: 0), inputDim: inputDim, outputDim: inside, dtype: dtype)
    let (lastParams, last) = try Dense(weight: lastWeight)(
      key.folded(in: 1), inputDim: inside, outputDim: outputDim, dtype: dtype)
    let pair = [Dense(activation: activation, weight: weight), Dense(weight: lastWeight)]
    var children: [Params.Child] = [.init("first", firstParams)]
    var applies: [[Apply]] = []
    for i in 0..<blocks {
      let layers = try pair.enumerated().map { (j, layer) throws(FlowError) in
        try layer(
          key.folded(in: i + 2).folded(in: j), inputDim: inside, outputDim: inside, dtype: dtype)
      }
      var block: [Params.Child] = layers.enumerated().map { .init("\($0)", $1.params) }
      if drops { block.append(.init(DropoutMask.label, DropoutMask.probabilities(dropout, width, dtype))) }
      children.append(.init("block_\(i)", .branch(block)))
      applies.append(layers.map(\.apply))
    }
    children.append(.init("last", lastParams))
    let members = applies
    return (
      .branch(children),
      { params, x in
        var h = first(params.child(0), x)
        for (i, block) in members.enumerated() {
          let own = params.child(i + 1)
          var inner = block[0](own.child(0), activation(h))
          if drops { inner = DropoutMask.applied(own[DropoutMask.label], to: inner) }
          h = h + block[1](own.child(1), inner)
        }
        return last(params.child(members.count + 1), h)
      }
    )
  }
}
