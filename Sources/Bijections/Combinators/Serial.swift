import Randomness
import Tensors

/// Layers one after the other, first to last.
///
/// Map: y = fₙ(… f₂(f₁(x))). log|det J| = Σ log|det Jᵢ|. Inverse: the layers' inverses, last to first.
///
/// Each layer's codomain is the next one's domain, so layers may change the shape. Layer i draws from `key.folded(in: i)`:
/// appending a layer leaves the earlier ones' initial values alone. `initInputs` passes through the layers already
/// initialized, and the context reaches every layer.
///
/// Parameters: one child a layer, `0`, `1`, .... Errors: a layer's own, and a value outside the domain of a member that
/// does not take all reals.
public struct Serial: Bijection {
  /// The layers in the order in which `forward` runs them.
  public let layers: [any Bijection]

  /// Layers one after the other.
  public init(_ layers: any Bijection...) { self.layers = layers }
  /// Layers one after the other.
  public init(_ layers: [any Bijection]) { self.layers = layers }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    var sites: [Site] = []
    var members: [Initialized] = []
    var here = site
    here.initOutputs = nil
    for (i, layer) in layers.enumerated() {
      let member = try layer.initialize(key.folded(in: i), at: here)
      sites.append(here)
      members.append(member)
      if let data = here.initInputs {
        here.initInputs = try Serial.step(member.forward, member.params, data, here.initContext).outputs
      }
      here.inputDim = member.forward.codomain.shape
    }
    if var data = site.initOutputs {
      // Shapes are known from the front; the data come from the back.
      for i in layers.indices.reversed() {
        sites[i].initOutputs = data
        members[i] = try layers[i].initialize(key.folded(in: i), at: sites[i])
        data = try Serial.step(members[i].inverse, members[i].params, data, site.initContext).outputs
      }
    }
    return (
      Params(members.map(\.params)),
      Serial.chain(members.map(\.forward), at: site, from: site.inputDim, order: Array(layers.indices)),
      Serial.chain(
        members.map(\.inverse).reversed(), at: site, from: here.inputDim, order: layers.indices.reversed())
    )
  }

  /// The mappings in running order; `order[i]` is the parameter child of the i-th.
  private static func chain(_ mappings: [Mapping], at site: Site, from shape: Shape, order: [Int]) -> Mapping
  {
    let domain = mappings.first?.domain ?? Domain(shape)
    let boundary = Boundary("Serial", domain: domain, contextDim: site.contextDim, dtype: site.dtype)
    let traits = mappings.reduce(Mapping.Traits.volumePreserving) { traits, mapping in
      traits.intersection(mapping.traits.union(.couplesRows)).union(mapping.traits.intersection(.couplesRows))
    }
    let statistics =
      mappings.contains { $0.statistics != nil } ? chainStatistics(mappings, order: order) : nil
    let members = zip(mappings, order).map { Member($0, child: $1) }
    var chain = Mapping(
      boundary, to: mappings.last?.codomain ?? domain, traits: traits, statistics: statistics
    ) {
      (params, inputs, context) throws(FlowError) in
      var x = inputs
      var total: Tensor?
      for member in members {
        let (y, logDet) = try member.body(params.child(member.child), x, context)
        x = y
        if !member.preservesVolume { total = total.map { $0 + logDet } ?? logDet }
      }
      return (x, total ?? .zeros([inputs.rows], dtype: inputs.dtype))
    }
    chain.links = zip(mappings, order).map { Mapping.Link(mapping: $0, child: $1) }
    return chain
  }

  /// Each member moves its statistics by what comes to it, through the members as they were.
  private static func chainStatistics(_ mappings: [Mapping], order: [Int]) -> Mapping.Statistics {
    let mappings = mappings[...(mappings.lastIndex { $0.statistics != nil } ?? 0)]
    return { (params, batch, context) throws(FlowError) in
      var (updated, x) = (params, batch)
      for (mapping, child) in zip(mappings, order) {
        let own = params.child(child)
        if let statistics = mapping.statistics {
          updated = try updated.replacing("\(child)", by: statistics(own, x, context))
        }
        x = try step(mapping, own, x, context).outputs
      }
      return updated
    }
  }

  fileprivate static func step(
    _ mapping: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    try mapping.domain.check(x, who: mapping.name)
    return try mapping.body(params, x, context)
  }
}

/// What a chain asks of a member for each batch: a whole mapping has many parts to copy.
private struct Member: Sendable {
  let body: Mapping.Body
  let child: Int
  let preservesVolume: Bool

  init(_ mapping: Mapping, child: Int) {
    self.child = child
    preservesVolume = mapping.traits.contains(.volumePreserving)
    if mapping.domain.values == .reals {
      body = mapping.body
    } else {
      body = { (params, x, context) throws(FlowError) in try Serial.step(mapping, params, x, context) }
    }
  }
}
