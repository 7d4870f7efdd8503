import Networks
import Randomness
import Tensors

/// An autoregressive flow of tokens: a transformer of numbers maps each token, and a causal transformer of
/// the tokens before it gives its parameters.
///
/// Map: yᵢ = f(xᵢ; θᵢ) with θ₁ = 0 and θᵢ = net(x₁ … xᵢ₋₁, context). The tokens are the positions of a sample
/// [positions..., channels] in row-major order, or in the opposite order if reversed. All numbers of a token
/// are mapped at once. The first token sees nothing, not even the context; by default it stays as it is.
///
/// By default f is the paper's, y = (x − μ) · exp(−a), with a bounded by ±4 smoothly: the paper's unbounded a
/// can overflow in float32. `InverseTransformer(Affine(scale: .exponential))` is unbounded.
///
/// log|det J| = Σ over tokens of that of f, a sum over all numbers; here −Σ a. The Jacobian is triangular in
/// blocks, and each block is that of f. Cost: one pass of the network.
///
/// Inverse: xᵢ = f⁻¹(yᵢ; θᵢ) in order, in as many sequential steps as tokens. Keys and values of earlier
/// tokens are kept, so all steps cost the arithmetic of one pass, with O(T²) for the attention of T tokens
/// instead of O(T³). The parameters θ have the same bits in both directions for the same x, and so has the
/// log-det if f's does. In an exported program the inverse is a loop of T passes.
///
/// Parameters: `net`, as of `CausalTransformer`, with T − 1 positions since no token sees the last one. A
/// context of any shape adds `context` [numbers, width], whose product with the context is added to each
/// token. Positions belong to places in the order of this layer. The last projection starts at zero, and so
/// do the raw parameters.
///
/// Domain: all reals, where f's is. Errors: `mismatch` for a sample with fewer than two positions, and for
/// a transformer that is not elementwise; those of `CausalTransformer`.
///
/// Zhai et al. 2024, *Normalizing flows are capable generative models* (TarFlow), arXiv 2412.06329, section
/// 3.1. Its program states the mean of −a over all numbers instead of the sum, in the loss too.
public struct TokenAutoregressive: Bijection {
  private let network: TokenNetwork
  private let transformer: any Transformer
  private let isReversed: Bool

  /// Makes a block from its causal transformer and the map of a token's numbers.
  ///
  /// - Parameter isReversed: Whether the last token comes first.
  public init(
    _ network: CausalTransformer,
    _ transformer: any Transformer = InverseTransformer(Affine(scale: .bounded(4))), isReversed: Bool = false
  ) {
    (self.network, self.transformer, self.isReversed) = (network.network, transformer, isReversed)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (count, channels) = (site.positions, site.channels)
    try site.expect(
      site.inputDim.rank > 1 && count > 1, "TokenAutoregressive", "a sample [positions..., channels]",
      "with at least two positions")
    guard transformer.isElementwise else {
      throw .mismatch(
        who: "TokenAutoregressive", what: "a transformer of each number by itself",
        expected: "an elementwise one", got: transformer.name)
    }
    let (network, transformer, isReversed) = (network, transformer, isReversed)
    let params = try network.params(
      key, tokens: count - 1, inputs: channels, outputs: transformer.parameterCount * channels,
      contexts: site.contextDim?.count ?? 0, dtype: site.dtype)

    @Sendable func tokens(_ x: Tensor) -> Tensor {
      let list = x.reshaped(to: [x.rows, count, channels])
      return isReversed ? list.flipped(axis: 1) : list
    }
    @Sendable func sample(_ tokens: Tensor, like x: Tensor) -> Tensor {
      (isReversed ? tokens.flipped(axis: 1) : tokens).reshaped(to: x.shape)
    }
    /// The outputs for earlier tokens, behind zeros for the first one.
    @Sendable func shifted(_ raw: Tensor) -> Tensor {
      concatenate(.zeros([raw.rows, 1, raw.shape[2]], dtype: raw.dtype), raw, axis: 1)
    }
    return site.layer("TokenAutoregressive", ["net": params], traits: transformer.traits) {
      params, x, context in
      let list = tokens(x)
      let earlier = list.sliced(axis: 1, 0..<count - 1)
      let raw = shifted(network(params.child("net"), earlier, context?.flattened))
      let (y, logDet) = transformer.forward(list, raw)
      return (sample(y, like: x), logDet)
    } inverse: { params, y, context in
      let (list, context, net) = (tokens(y), context?.flattened, params.child("net"))
      let raw: Tensor
      if let graph = Graph.innermost([list] + params.leaves + [context].compactMap { $0 }) {
        raw = Self.loop(graph, list) { x in
          shifted(network(net, x.sliced(axis: 1, 0..<count - 1), context))
        } inverse: {
          transformer.inverse(list, $0).outputs
        }
      } else {
        var steps = TokenNetwork.Steps(network, tokens: count - 1)
        var found = [Tensor.zeros([y.rows, 1, transformer.parameterCount * channels], dtype: y.dtype)]
        for i in 0..<count - 1 {
          let x = transformer.inverse(list.sliced(axis: 1, i..<i + 1), found[i]).outputs
          found.append(steps.next(net, x, context))
        }
        raw = concatenate(found, axis: 1)
      }
      let (x, logDet) = transformer.inverse(list, raw)
      return (sample(x, like: y), logDet)
    }
  }

  /// The raw parameters of all tokens in a graph. Each pass finds one more token; zeros stand for later ones.
  private static func loop(
    _ graph: Graph, _ y: Tensor, parameters: (_ x: Tensor) -> Tensor, inverse: (_ raw: Tensor) -> Tensor
  ) -> Tensor {
    let places = Tensor((0..<y.shape[1]).map(Double.init), shape: [y.shape[1], 1], dtype: y.dtype)
    let known = graph.loop(y.shape[1] - 1, [.zeros(y.shape, dtype: y.dtype)]) { i, x in
      let isKnown = (places .<= i).broadcast(to: y.shape)
      return [select(where: isKnown, inverse(parameters(x[0])), 0)]
    }
    return parameters(known[0])
  }
}
