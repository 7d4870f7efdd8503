import Randomness
import Tensors

/// The network of both transformers: a projection, learned positions, layers, and a last projection.
///
/// h₀ = x W + b + position + context V, then h ← h + attention(norm(h)) and h ← h + U gelu(norm(h)) in each
/// layer, and the last projection of h, or of norm(h).
package struct TokenNetwork: Sendable {
  let name: String
  let width, layers, expansion: Int
  let attention: SelfAttention
  let normalizesLast: Bool
  let position, lastWeight: Initializer

  /// The initial parameters for tokens of `inputs` numbers.
  package func params(
    _ key: Key, tokens: Int, inputs: Int, outputs: Int, contexts: Int, dtype: DType
  ) throws(FlowError) -> Params {
    try attention.check(width: width, of: name)
    var children: [Params.Child] = [
      .init("first", Projection.params(key.folded(in: 0), inputs, width, dtype: dtype)),
      .init("position", .leaf(position(key.folded(in: 1), [tokens, width], dtype: dtype))),
    ]
    if contexts > 0 {
      let weight = Initializer.glorotUniform(key.folded(in: 2), [contexts, width], dtype: dtype)
      children.append(.init("context", .leaf(weight)))
    }
    for i in 0..<layers {
      children.append(.init("layer_\(i)", layerParams(key.folded(in: 4 + i), dtype)))
    }
    if normalizesLast { children.append(.init("norm", LayerNorm.params(width, dtype))) }
    children.append(
      .init("last", Projection.params(key.folded(in: 3), width, outputs, weight: lastWeight, dtype: dtype)))
    return .branch(children)
  }

  private func layerParams(_ key: Key, _ dtype: DType) -> Params {
    let inner = expansion * width
    return [
      "norm_0": LayerNorm.params(width, dtype),
      "attention": attention.params(key.folded(in: 0), width, dtype),
      "norm_1": LayerNorm.params(width, dtype),
      "dense_0": Projection.params(key.folded(in: 1), width, inner, dtype: dtype),
      "dense_1": Projection.params(key.folded(in: 2), inner, width, dtype: dtype),
    ]
  }

  /// Maps all tokens [rows, tokens, inputs].
  package func callAsFunction(_ params: Params, _ x: Tensor, _ context: Tensor?) -> Tensor {
    pass(params, x, params["position"], context) { _, layer, h in attention(layer, h) }
  }

  /// Maps the tokens [rows, 1, inputs] one after the other. Each sees those before it.
  ///
  /// Keys and values of earlier tokens are kept, so all steps cost as much arithmetic as one pass.
  package struct Steps: ~Copyable {
    private let network: TokenNetwork
    private let caches: [KeysAndValues]
    private var count = 0

    /// Steps through at most so many tokens.
    package init(_ network: TokenNetwork, tokens: Int) {
      self.network = network
      caches = (0..<network.layers).map { _ in KeysAndValues(network.attention.means, tokens: tokens) }
    }

    /// The outputs for the next token.
    package mutating func next(_ params: Params, _ x: Tensor, _ context: Tensor?) -> Tensor {
      defer { count += 1 }
      let position = params["position"][count..<count + 1]
      return network.pass(params, x, position, context) { i, layer, h in
        network.attention.next(layer, h, caches[i])
      }
    }
  }

  private func pass(
    _ params: Params, _ x: Tensor, _ position: Tensor, _ context: Tensor?,
    _ attend: (_ i: Int, _ params: Params, _ h: Tensor) -> Tensor
  ) -> Tensor {
    var h = Projection.apply(params.child("first"), x) + position
    if let context { h = h + matmul(context, params["context"]).expanded(axis: 1) }
    for i in 0..<layers {
      let layer = params.child("layer_\(i)")
      h = h + attend(i, layer.child("attention"), LayerNorm.apply(layer.child("norm_0"), h))
      let inner = Projection.apply(layer.child("dense_0"), LayerNorm.apply(layer.child("norm_1"), h), .gelu)
      h = h + Projection.apply(layer.child("dense_1"), inner)
    }
    if normalizesLast { h = LayerNorm.apply(params.child("norm"), h) }
    return Projection.apply(params.child("last"), h)
  }
}

extension TokenNetwork {
  /// The network as one of samples [positions..., channels], whose positions are the tokens.
  func network(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    guard inputDim.rank >= 2, outputDim.rank >= 1, inputDim.replacing(-1, by: outputDim[-1]) == outputDim
    else {
      throw .mismatch(
        who: name, what: "an output shape that differs from \(inputDim) in the last axis only",
        expected: "[positions..., outputs]", got: "\(outputDim)")
    }
    let tokens = inputDim.removing(-1).count
    let params = try params(
      key, tokens: tokens, inputs: inputDim[-1], outputs: outputDim[-1], contexts: 0, dtype: dtype)
    return (
      params,
      { params, x in
        let list = x.reshaped(to: [x.rows, tokens, x.shape[-1]])
        return self(params, list, nil).reshaped(to: outputDim.batched(x.rows))
      }
    )
  }
}
