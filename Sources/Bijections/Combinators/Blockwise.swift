import Randomness
import Tensors

/// Runs bijections side by side, each on a block of a vector's features.
///
/// ```swift
/// Blockwise(([1], Serial()), ([1], Log()), ([8], Serial()))   // of ten numbers, the second is positive
/// ```
///
/// Map: each bijection on its block (`Serial()` is the identity). A bijection may change the size of its
/// block. Blocks that are not vectors are flattened at the output. log|det J| = the sum. Inverse: the
/// inverses of the bijections. Cost: the sum of theirs.
///
/// Parameters: one child for each block, `0`, `1`, …; block i draws from `key.folded(in: i)`. The context
/// reaches every layer.
///
/// Domain: all reals; each bijection checks its own domain when it runs. Errors: those of the bijections;
/// `mismatch` if the blocks do not make up the sample.
public struct Blockwise: Bijection {
  private let blocks: [(inputDim: Shape, bijection: any Bijection)]

  /// Pairs each block's shape with its bijection, in the order of the features.
  public init(_ blocks: (Shape, any Bijection)...) { self.blocks = blocks.map { ($0, $1) } }

  public var members: [any Bijection] { blocks.map(\.bijection) }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = blocks.reduce(0) { $0 + $1.inputDim.count }
    try site.expect(site.inputDim == [size], "Blockwise", "inputDim", "[\(size)], the blocks' sizes added")
    var end = 0
    return try site.split(
      "Blockwise",
      blocks.enumerated().map { i, block in
        let start = end
        end += block.inputDim.count
        let layer = Lambda { (key, site) throws(FlowError) in
          try site.chain(
            "Blockwise",
            [Reshape(to: block.inputDim), block.bijection, Reshape.flat].map { ($0, key, nil) })
        }
        return (layer, key.folded(in: i), "\(i)", [start..<end])
      })
  }
}
