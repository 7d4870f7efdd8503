import Randomness
import Tensors

/// An embedding of a set by attention that does not depend on the order of its elements.
///
/// It is induced attention blocks, pooling by attention, and a dense layer. An attention block is A(X, Y) =
/// H + f(H W + b) with H = Q + softmax(Q Kᵀ / √e) V, where Q is linear in X, K and V in Y, and e is the
/// width of a head. Each induced block maps X to A(X, A(I, X)) with learned points I. Pooling is A(s, X)
/// with one learned point s. The softmax and the sums have a fixed order, so another order of the elements
/// changes the last bits alone.
///
/// ```swift
/// let embedding = Summary(SetTransformer(), outputDim: [8])
/// ```
///
/// Parameters: `first`, `block_i` with `points` [points, width], `induced` and `elements`, `pool` with
/// `point` [1, width] and `attention`, and `last`. Cost: O(elements · points · width) per block. Errors:
/// `mismatch` unless inputs are [elements, features] and outputs a vector, and for a width that is no
/// multiple of the heads.
///
/// Lee et al. 2019, *Set transformer*, arXiv 1810.00825, equations 9 to 11, without layer normalization.
public struct SetTransformer: Network {
  /// The number of features of each element inside.
  public let width: Int
  /// The number of induced blocks.
  public let blocks: Int
  /// The number of learned points per block.
  public let points: Int
  /// The number of heads.
  public let heads: Int
  /// The function in the attention blocks.
  public let activation: Activation

  /// An embedding of sets by attention.
  ///
  /// - Precondition: positive sizes, and `blocks` is not negative.
  public init(
    width: Int = 32, blocks: Int = 2, points: Int = 8, heads: Int = 2, activation: Activation = .relu
  ) {
    require(
      width > 0 && blocks >= 0 && points > 0 && heads > 0,
      "SetTransformer: positive sizes, got \(width), \(blocks), \(points) and \(heads)")
    (self.width, self.blocks, self.points) = (width, blocks, points)
    (self.heads, self.activation) = (heads, activation)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    try checkSet(who: "SetTransformer", inputDim, outputDim)
    guard width % heads == 0 else {
      throw .mismatch(
        who: "SetTransformer", what: "a width", expected: "that is a multiple of \(heads) heads",
        got: "\(width)")
    }
    let attention = SetAttention(width: width, heads: heads, activation: activation)
    func learned(_ key: Key, _ count: Int) -> Params {
      .leaf(Initializer.glorotUniform(key, [count, width], dtype: dtype))
    }
    let (firstParams, first) = try Dense()(
      key.folded(in: 0), inputDim: inputDim, outputDim: [inputDim[0], width], dtype: dtype)
    let (lastParams, last) = try Dense()(
      key.folded(in: 1), inputDim: [width], outputDim: outputDim, dtype: dtype)
    var children: [Params.Child] = [.init("first", firstParams)]
    for i in 0..<blocks {
      let key = key.folded(in: 3 + i)
      children.append(
        .init(
          "block_\(i)",
          [
            "points": learned(key.folded(in: 0), points),
            "induced": try attention.initial(key.folded(in: 1), dtype: dtype),
            "elements": try attention.initial(key.folded(in: 2), dtype: dtype),
          ]))
    }
    let pool = key.folded(in: 2)
    children.append(
      .init(
        "pool",
        [
          "point": learned(pool.folded(in: 0), 1),
          "attention": try attention.initial(pool.folded(in: 1), dtype: dtype),
        ]))
    children.append(.init("last", lastParams))
    let blocks = blocks
    return (
      .branch(children),
      { params, x in
        var h = first(params.child("first"), x)
        for i in 0..<blocks {
          let block = params.child("block_\(i)")
          let induced = attention(block.child("induced"), block["points"].expanded(axis: 0), h)
          h = attention(block.child("elements"), h, induced)
        }
        let pool = params.child("pool")
        let pooled = attention(pool.child("attention"), pool["point"].expanded(axis: 0), h)
        return last(params.child("last"), pooled.reshaped(to: [x.rows, h.shape[2]]))
      }
    )
  }
}
