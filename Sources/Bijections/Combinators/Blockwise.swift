import Randomness
import Tensors

/// Layers side by side, each on a block of a vector's coordinates.
///
/// ```swift
/// Blockwise(([1], Serial()), ([1], Log()), ([8], Serial()))   // of ten numbers, the second is positive
/// ```
///
/// Map: the blocks in order, each through its layer (`Serial()` is the identity). A layer may change its block's size; blocks
/// of another shape than a vector's are flattened beside the others. log|det J| = the sum; inverse: the layers' inverses.
/// Cost: theirs.
///
/// Parameters: one child a block, `0`, `1`, …; block i draws from `key.folded(in: i)`. The context reaches every layer.
///
/// Domain: all reals; a layer's own domain is checked when it runs. Errors: the layers'; `mismatch` when the blocks do not make up the
/// sample, or a layer keeps statistics.
public struct Blockwise: Bijection {
  private let blocks: [(inputDim: Shape, bijection: any Bijection)]

  /// Layers for blocks of the given shapes, in the order of the coordinates.
  public init(_ blocks: (Shape, any Bijection)...) {
    self.blocks = blocks.map { (inputDim: $0.0, bijection: $0.1) }
  }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let sizes = blocks.map(\.inputDim.count)
    if site.inputDim != Shape([sizes.reduce(0, +)]) {
      throw .mismatch(
        who: "Blockwise", what: "inputDim", expected: "[\(sizes.reduce(0, +))], the blocks' sizes added",
        got: "\(site.inputDim)")
    }
    var members: [Initialized] = []
    var start = 0
    for (i, block) in blocks.enumerated() {
      var place = site
      place.inputDim = block.inputDim
      place.initInputs = site.initInputs.map { Blockwise.block($0, at: start, block.inputDim) }
      place.initOutputs = nil
      let member = try block.bijection.initialize(key.folded(in: i), at: place)
      if member.forward.statistics != nil {
        throw .mismatch(
          who: "Blockwise", what: "layers", expected: "without statistics", got: member.forward.name)
      }
      members.append(member)
      start += block.inputDim.count
    }
    return (
      Params(members.map(\.params)), Blockwise.joined(members.map(\.forward), at: site),
      Blockwise.joined(members.map(\.inverse), at: site)
    )
  }

  private static func block(_ x: Tensor, at start: Int, _ shape: Shape) -> Tensor {
    x.sliced(axis: 1, start..<start + shape.count).reshaped(to: shape.batched(x.rows))
  }

  private static func joined(_ mappings: [Mapping], at site: Site) -> Mapping {
    func size(_ domains: [Domain]) -> Shape { Shape([domains.map(\.shape.count).reduce(0, +)]) }
    let boundary = Boundary(
      "Blockwise", domain: Domain(size(mappings.map(\.domain))), contextDim: site.contextDim,
      dtype: site.dtype)
    let isVolumePreserving = mappings.allSatisfy { $0.traits.contains(.volumePreserving) }
    let couplesRows = mappings.contains { $0.traits.contains(.couplesRows) }
    let traits: Mapping.Traits = isVolumePreserving ? .volumePreserving : []
    return Mapping(
      boundary, to: Domain(size(mappings.map(\.codomain))),
      traits: couplesRows ? traits.union(.couplesRows) : traits
    ) { (params, x, context) throws(FlowError) in
      var (outputs, total, start): ([Tensor], Tensor, Int) = ([], .zeros([x.rows], dtype: x.dtype), 0)
      for (i, mapping) in mappings.enumerated() {
        let part = block(x, at: start, mapping.domain.shape)
        try mapping.domain.check(part, who: mapping.name)
        let (y, logDet) = try mapping.body(params.child(i), part, context)
        outputs.append(y.flatRows)
        total = total + logDet
        start += mapping.domain.shape.count
      }
      return (concatenate(outputs, axis: 1), total)
    }
  }
}
