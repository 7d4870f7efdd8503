import Randomness
import Tensors

/// The network of Flow++: blocks of a gated convolution and a gated attention, each with a layer
/// normalization.
///
/// h₀ is a convolution of the input with a window of 3 along each axis. With f(h) = elu(h, −h), which doubles
/// the channels, and gate(u, v) = u · sigmoid(v), a block is
///
/// - h ← norm(h + gate(f(f(h) ∗ w + b) W + c)),
/// - h ← norm(h + gate(attention(h + position) V + d)).
///
/// The outputs are a convolution of h, whose weights start at zero by default.
///
/// Parameters: `first`; `position` [positions..., channels], normal with deviation 0.01, which all blocks
/// share; `block_i` with `conv`, `gate_0`, `norm_0`, `attention` (`qkv` and `out`, twice as wide) and
/// `norm_1`; `last`. Other weights are Glorot uniform; those before a gate are a tenth of it, as in the
/// program. Cost: per block and position, 18 channels² products and attention over all positions.
///
/// Errors: `mismatch` for a vector, for outputs at other positions, and for channels that the heads do not
/// divide.
///
/// Ho et al. 2019, *Flow++*, arXiv 1902.00275, section 3.2.2, and its program.
public struct GatedAttentionNet: Network {
  /// The channels inside.
  public let hidden: Int
  /// The number of blocks.
  public let blocks: Int
  /// The attention.
  public let attention: SelfAttention
  /// The initializer of the weights of the last layer.
  public let lastWeight: Initializer

  /// A network of gated convolutions and attention.
  ///
  /// - Precondition: Sizes are positive.
  public init(hidden: Int, blocks: Int, heads: Int = 4, lastWeight: Initializer = .zeros) {
    require(
      hidden >= 1 && blocks >= 1,
      "GatedAttentionNet: positive sizes, got \(hidden) channels, \(blocks) blocks")
    (self.hidden, self.blocks, self.lastWeight) = (hidden, blocks, lastWeight)
    attention = SelfAttention(heads: heads)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    guard inputDim.rank >= 2 else {
      throw .mismatch(
        who: "GatedAttentionNet", what: "a sample", expected: "[positions..., channels]", got: "\(inputDim)")
    }
    try attention.check(width: hidden, of: "GatedAttentionNet")
    let (inside, twice) = (inputDim.replacing(-1, by: hidden), inputDim.replacing(-1, by: 2 * hidden))
    let (conv, tenth) = (
      Conv(3, weight: .glorotUniform), Initializer { 0.1 * Initializer.glorotUniform($0, $1) }
    )
    let first = try conv(key.folded(in: 0), inputDim: inputDim, outputDim: inside, dtype: dtype)
    let last = try Conv(3, weight: lastWeight)(
      key.folded(in: 1), inputDim: inside, outputDim: outputDim, dtype: dtype)
    let position = Initializer.normal(standardDeviation: 0.01)(key.folded(in: 2), inside, dtype: dtype)
    var children: [Params.Child] = [.init("first", first.params), .init("position", .leaf(position))]
    var convolutions: [Apply] = []
    for i in 0..<blocks {
      let key = key.folded(in: 3 + i)
      let inner = try conv(key.folded(in: 0), inputDim: twice, outputDim: inside, dtype: dtype)
      convolutions.append(inner.apply)
      children.append(
        .init(
          "block_\(i)",
          [
            "conv": inner.params,
            "gate_0": Projection.params(
              key.folded(in: 1), 2 * hidden, 2 * hidden, weight: tenth, dtype: dtype),
            "norm_0": LayerNorm.params(hidden, dtype),
            "attention": [
              "qkv": Projection.params(key.folded(in: 2), hidden, 3 * hidden, dtype: dtype),
              "out": Projection.params(key.folded(in: 3), hidden, 2 * hidden, weight: tenth, dtype: dtype),
            ],
            "norm_1": LayerNorm.params(hidden, dtype),
          ]))
    }
    children.append(.init("last", last.params))
    let (attention, hidden, inner) = (attention, hidden, convolutions)
    return (
      .branch(children),
      { params, x in
        var h = first.apply(params.child("first"), x)
        for (i, convolution) in inner.enumerated() {
          let block = params.child("block_\(i)")
          let c = convolution(block.child("conv"), doubled(h))
          h = LayerNorm.apply(
            block.child("norm_0"), h + gated(Projection.apply(block.child("gate_0"), doubled(c))))
          let list = (h + params["position"]).reshaped(to: [x.rows, h.shape.sample.count / hidden, hidden])
          let seen = gated(attention(block.child("attention"), list)).reshaped(to: h.shape)
          h = LayerNorm.apply(block.child("norm_1"), h + seen)
        }
        return last.apply(params.child("last"), h)
      }
    )
  }
}

/// elu of x and −x, beside each other.
private func doubled(_ x: Tensor) -> Tensor { Activation.elu(concatenate(x, -x, axis: -1)) }

/// One half of the channels, gated by the other half.
private func gated(_ x: Tensor) -> Tensor {
  let half = x.shape[-1] / 2
  return x.sliced(axis: -1, 0..<half) * sigmoid(x.sliced(axis: -1, half..<2 * half))
}
