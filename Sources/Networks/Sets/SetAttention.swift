import Randomness
import Tensors

/// An attention block between two sets: each element of X looks at all elements of Y.
///
/// A(X, Y) = H + f(H W + b) with H = Q + softmax(Q Kᵀ / √e) V, head by head, and Q = X W_Q + b_Q, K = Y W_K,
/// V = Y W_V + b_V, where e is the width of a head. A bias of K would not change the softmax.
///
/// Parameters: `query`, `value` and `out`, dense layers from width to width, and the matrix `key`.
struct SetAttention: Sendable {
  let width, heads: Int
  let activation: Activation
  private static let labels = ["query", "value", "out"]

  init(width: Int, heads: Int, activation: Activation) {
    (self.width, self.heads, self.activation) = (width, heads, activation)
  }

  /// Initial parameters.
  func initial(_ key: Key, dtype: DType) throws(FlowError) -> Params {
    var children: [Params.Child] = []
    for (i, label) in Self.labels.enumerated() {
      let layer = try Dense()(key.folded(in: i), inputDim: [width], outputDim: [width], dtype: dtype)
      children.append(.init(label, layer.params))
    }
    let weight = Initializer.glorotUniform(key.folded(in: 3), [width, width], dtype: dtype)
    return .branch(children + [.init("key", .leaf(weight))])
  }

  /// The block. `x` is [rows or 1, elements, width], `y` is [rows, others, width].
  func callAsFunction(_ params: Params, _ x: Tensor, _ y: Tensor) -> Tensor {
    func layer(_ label: String, _ x: Tensor, _ activation: Activation = .identity) -> Tensor {
      let params = params.child(label)
      return dense(x, params["weight"], params["bias"], activation)
    }
    /// [rows, elements, heads, width of a head]
    func split(_ x: Tensor) -> Tensor {
      x.reshaped(to: [x.shape[0], x.shape[1], heads, width / heads])
    }
    let q = layer("query", x)
    let (queries, keys) = (split(q).expanded(axis: 2), split(matmul(y, params["key"])).expanded(axis: 1))
    let scores = (queries * keys).sum(axis: 4) / Double(width / heads).squareRoot()
    let shares = scores.softmax(axis: 2)  // [rows, elements, others, heads]
    let values = split(layer("value", y)).expanded(axis: 1)
    let seen = (shares.expanded(axis: 4) * values).sum(axis: 2)
    let h = q + seen.reshaped(to: [seen.shape[0], seen.shape[1], width])
    return h + layer("out", h, activation)
  }
}
