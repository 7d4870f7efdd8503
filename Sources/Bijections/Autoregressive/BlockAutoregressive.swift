import Networks
import Randomness
import Tensors

/// A block neural autoregressive flow: a network with weights that make its Jacobian triangular with a
/// positive diagonal.
///
/// Map: y = σ(g) · F(x) + (1 − σ(g)) · x, where F has layers h ↦ tanh(h W + b), the last one without tanh.
/// Every feature has its own block of units. W is block triangular: weights from the units of feature j to
/// those of feature i are free for j < i, exp(V) for j = i, and 0 for j > i. So Fᵢ depends on x₁ … xᵢ and
/// increases with xᵢ. Each column of W is scaled to length exp(s) (weight normalization).
///
/// log|det J| = Σᵢ softplus(g + ℓᵢ) − softplus(g) with ℓᵢ = log ∂Fᵢ/∂xᵢ, the product of the diagonal blocks
/// and the slopes of tanh, accumulated by log-sum-exp. Cost: a dense network of D · width units and D ·
/// width² a layer for the slopes.
///
/// Inverse: none in closed form. Each xᵢ in order is bracketed and solved to the last bits, with its
/// derivative by the implicit function theorem: D times some dozens of passes.
///
/// Parameters: `layer_0`, `layer_1`, ... with `weight` [in, out] (V on the diagonal blocks; Glorot uniform),
/// `logNorm` [out] (s; 0) and `bias` [out] (uniform within ±1/√units of a feature). The first layer also has
/// `context` [context, out] (Glorot uniform). `gate` [D] is g, 0 at first. The units of a feature are
/// adjacent, and features are in order.
///
/// Domain: all reals. Errors: a layer without units.
///
/// De Cao, Titov & Aziz 2019, *Block neural autoregressive flow*, arXiv 1904.04676, section 3. The gate is
/// from the authors' code. Without it F is bounded, and its image is not all reals. With it the slope is at
/// least 1 − σ(g).
public struct BlockAutoregressive: Bijection {
  private let widths: [Int]

  /// Makes a flow with the given numbers of hidden units per feature, layer by layer.
  public init(hidden widths: [Int] = [8, 8]) { self.widths = widths }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    if let width = widths.first(where: { $0 < 1 }) {
      throw .mismatch(
        who: "BlockAutoregressive", what: "hidden units", expected: "at least 1", got: "\(width)")
    }
    let size = site.inputDim.count
    let blocks = zip([1] + widths, widths + [1]).map { BlockLayer(size: size, inputs: $0, outputs: $1) }
    return site.layer("BlockAutoregressive", initialParams(key, at: site, blocks)) { params, x, context in
      let network = BlockNetwork(blocks, params, context)
      let (y, logSlope) = network(x.flattened)
      return (y.reshaped(to: x.shape), logSlope.sumPerRow())
    } inverse: { params, y, context in
      let (network, target) = (BlockNetwork(blocks, params, context), y.flattened)
      var x = target.sliced(axis: 1, 0..<0)
      for i in 0..<size {
        x = concatenate(
          [x, solved(i, network.leading(i + 1), target.sliced(axis: 1, i..<i + 1), x)], axis: 1)
      }
      return (x.reshaped(to: y.shape), -network(x).logSlope.sumPerRow())
    }
  }

  /// Solves for xᵢ, given yᵢ, the network of the first i + 1 features, and the features before it.
  private func solved(_ i: Int, _ network: [Tensor], _ target: Tensor, _ known: Tensor) -> Tensor {
    let shapes = network.map(\.shape)
    let packed = concatenate(network.map { $0.reshaped(to: [$0.count]) }, axis: 0)
    return inverseOfMonotone(at: target, given: [known, packed]) { guess, given in
      var start = 0
      let tensors = shapes.map { shape -> Tensor in
        defer { start += shape.count }
        return given[1][start..<start + shape.count].reshaped(to: shape)
      }
      let (value, logSlope) = BlockNetwork(tensors)(concatenate([given[0], guess], axis: 1))
      return (value.sliced(axis: 1, i..<i + 1), exp(logSlope.sliced(axis: 1, i..<i + 1)))
    }
  }

  private func initialParams(_ key: Key, at site: Site, _ blocks: [BlockLayer]) -> Params {
    var children = blocks.enumerated().map { i, block -> Params.Child in
      let (key, out) = (key.folded(in: i), block.size * block.outputs)
      let bound = 1 / Double(block.outputs).squareRoot()
      var layer: [Params.Child] = [
        .init(
          "weight", .leaf(Initializer.glorotUniform(key.folded(in: 0), [block.size * block.inputs, out]))),
        .init("logNorm", .leaf(.zeros([out]))),
        .init("bias", .leaf(key.folded(in: 1).uniform([out], in: -bound..<bound))),
      ]
      if i == 0, let contexts = site.contextDim?.count {
        layer.append(.init("context", .leaf(Initializer.glorotUniform(key.folded(in: 2), [contexts, out]))))
      }
      return .init("layer_\(i)", .branch(layer))
    }
    children.append(.init("gate", .leaf(.zeros([site.inputDim.count]))))
    return Params.branch(children).cast(to: site.dtype)
  }
}
