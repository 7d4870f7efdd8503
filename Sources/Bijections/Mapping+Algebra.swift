import Tensors

// The only place where mappings are made from mappings. It carries traits, statistics, domains and members.

extension Mapping {
  /// Composes mappings, first to last. Their log-dets add up. Without members it is the identity at `site`.
  package static func chain(_ name: String, _ members: [Member], at site: Site) -> Mapping {
    let mappings = members.map(\.mapping)
    let domain = mappings.first?.domain ?? Domain(site.inputDim)
    // A step holds only the fields that run for each batch: a whole mapping takes longer to copy.
    let steps = members.map { ($0.address, $0.mapping.memberBody, $0.mapping.traits) }
    let body: Body = { (params, inputs, context) throws(FlowError) in
      var (x, total) = (inputs, Tensor?.none)
      for (address, body, traits) in steps {
        let inside = traits.contains(.couplesRows) ? total?.rowsInside : nil
        let (y, logDet) = try inside.run(x, context) { (x, context) throws(FlowError) in
          try body(address(params), x, context)
        }
        x = y
        if !traits.contains(.volumePreserving) { total = sum(total, logDet) }
      }
      return (x, total ?? .zeros([inputs.rows], dtype: inputs.dtype))
    }
    var chain = Mapping(
      site.boundary(name, domain), to: mappings.last?.codomain ?? domain, traits: Traits(of: mappings),
      statistics: chainStatistics(members), body: body)
    chain.composition = .chain(members)
    if chain.isDensity && chain.isBounded { chain.body = zeroSlopeOutside(body) }
    return chain
  }

  /// Runs mappings side by side, each on a range of the last axis. Their log-dets add up.
  ///
  /// The inputs' ranges cover the axis once, and so do the outputs'.
  static func split(
    _ name: String, _ parts: [Part], from shape: Shape, to outcome: Shape, at site: Site,
    _ combine: (@Sendable (_ params: Params, _ logDets: [Tensor]) -> Tensor)? = nil
  ) -> Mapping {
    let (mappings, order) = (parts.map(\.member.mapping), outputOrder(parts))
    // A member gives a density of 0 outside its support, so a density made of others takes all numbers.
    let isDensity = outcome == [0]
    let steps = parts.map { part in
      let (mapping, address) = part.member
      let inputs = part.inputs.count < shape[-1] ? part.inputs : nil
      return (address, mapping.memberBody, mapping.preservesVolume, inputs)
    }
    let body: Body = { (params, x, context) throws(FlowError) in
      var (outputs, logDets): ([Tensor], [Tensor]) = ([], [])
      for (address, body, preservesVolume, inputs) in steps {
        let (y, logDet) = try body(address(params), inputs.map { x.sliced(axis: -1, $0) } ?? x, context)
        outputs.append(y)
        if !preservesVolume { logDets.append(logDet) }
      }
      let total = combine?(params, logDets) ?? logDets.reduce(nil, sum)
      return (joined(outputs, order), total ?? .zeros([x.rows], dtype: x.dtype))
    }
    var split = Mapping(
      site.boundary(name, Domain(shape, isDensity ? .reals : .common(of: mappings.map(\.domain.values)))),
      to: Domain(outcome, .common(of: mappings.map(\.codomain.values))), traits: Traits(of: mappings),
      statistics: splitStatistics(parts), body: body)
    split.composition = .split(parts)
    return split
  }

  /// Makes a product of one-dimensional densities, one per feature.
  package static func sideBySide(_ name: String, _ members: [Member], at site: Site) -> Mapping {
    let parts: [Part] = members.enumerated().map { ($1, $0..<$0 + 1, 0..<0) }
    return split(name, parts, from: site.inputDim, to: [0], at: site)
  }

  /// Makes one density from densities of the same inputs, such as a mixture. `combine` gives its log-density
  /// from theirs.
  package static func alternatives(
    _ name: String, _ members: [Member], at site: Site,
    _ combine: @escaping @Sendable (_ params: Params, _ logDets: [Tensor]) -> Tensor
  ) -> Mapping {
    let parts: [Part] = members.map { ($0, 0..<site.channels, 0..<0) }
    return split(name, parts, from: site.inputDim, to: [0], at: site, combine)
  }

  /// The same mapping with a changed context. The change may depend on the parameters of the composite.
  package func seeing(_ name: String, at address: Address, in site: Site, _ change: @escaping ContextChange)
    -> Mapping
  {
    let (member, body): (Member, Body) = ((self, address), memberBody)
    let update: Statistics = { (params, x, context) throws(FlowError) in
      try Mapping.updated(params, by: [(member, x, change(params, context))])
    }
    var mapping = Mapping(
      site.boundary(name, domain), to: codomain, traits: traits, statistics: statistics.map { _ in update }
    ) { (params, x, context) throws(FlowError) in
      try body(address(params), x, change(params, context))
    }
    mapping.composition = .seeing(member, change)
    return mapping
  }

  /// The same mapping with another body, which computes the same results in another way.
  func evaluated(_ name: String, by body: @escaping Body) -> Mapping {
    var mapping = self
    (mapping.boundary.name, mapping.body) = (name, body)
    return mapping
  }

  /// The same mapping under another name.
  package func named(_ name: String) -> Mapping { evaluated(name, by: body) }

  var preservesVolume: Bool { traits.contains(.volumePreserving) }
  /// Whether this is a log-density: a mapping without outputs.
  var isDensity: Bool { codomain.shape == [0] }
}

// MARK: - Traits and statistics

extension Mapping.Traits {
  /// A composite preserves volume if all members do. It couples rows if one member does.
  fileprivate init(of mappings: [Mapping]) {
    self = mappings.allSatisfy(\.preservesVolume) ? .volumePreserving : []
    if mappings.contains(where: { $0.traits.contains(.couplesRows) }) { insert(.couplesRows) }
  }
}

extension Domain.Values {
  /// The set that all members share, if it restricts each number by itself. Otherwise all reals, and each
  /// member checks its own set.
  fileprivate static func common(of values: [Domain.Values]) -> Domain.Values {
    guard let first = values.first, values.allSatisfy({ $0 == first }) else { return .reals }
    return first.isOfSingleNumbers ? first : .reals
  }
}

extension Mapping {
  /// A member, and the rows and contexts that it runs on.
  private typealias Use = (member: Member, rows: Tensor, context: Tensor?)

  /// Each member updates its statistics by its own inputs, which earlier members compute from the old
  /// parameters.
  private static func chainStatistics(_ members: [Member]) -> Statistics? {
    guard let last = members.lastIndex(where: { $0.mapping.statistics != nil }) else { return nil }
    return { (params, batch, context) throws(FlowError) in
      var (uses, x, seen) = ([Use](), batch, context)
      for member in members[..<last] {
        uses.append((member, x, seen))
        let (y, logDet) = try member.mapping.memberBody(member.address(params), x, seen)
        (x, seen) = logDet.rowsInside.map { (y.rows($0), seen?.rows($0)) } ?? (y, seen)
      }
      return try updated(params, by: uses + [(members[last], x, seen)])
    }
  }

  /// Each member updates its statistics by its part of the batch.
  private static func splitStatistics(_ parts: [Part]) -> Statistics? {
    if parts.allSatisfy({ $0.member.mapping.statistics == nil }) { return nil }
    return { (params, batch, context) throws(FlowError) in
      try updated(params, by: parts.map { ($0.member, batch.sliced(axis: -1, $0.inputs), context) })
    }
  }

  /// Members with the same parameters update them once, by the rows of all. Rows outside a member's domain
  /// do not count.
  private static func updated(_ params: Params, by uses: [Use]) throws(FlowError) -> Params {
    var updated = params
    // The groups' parameters are disjoint, so that their order does not matter.
    let moving = uses.filter { $0.member.mapping.statistics != nil }
    for uses in Dictionary(grouping: moving, by: \.member.address).values {
      guard let member = uses.first?.member, let statistics = member.mapping.statistics else { continue }
      var rows = concatenate(uses.map(\.rows), axis: 0)
      var contexts = uses[0].context.map { _ in concatenate(uses.compactMap(\.context), axis: 0) }
      if let isOutside = member.mapping.domain.rowsOutside(rows)?.doubles {
        let inside = isOutside.indices.filter { isOutside[$0] == 0 }
        (rows, contexts) = (rows.rows(inside), contexts?.rows(inside))
      }
      if rows.rows == 0 { continue }
      updated = try member.address.replacing(
        updated, by: statistics(member.address(updated), rows, contexts))
    }
    return updated
  }
}

/// The order in which the outputs of parts stand on the last axis.
func outputOrder(_ parts: [Mapping.Part]) -> [Int] {
  parts.indices.sorted { parts[$0].outputs.lowerBound < parts[$1].outputs.lowerBound }
}

/// Joins the outputs of parts on the last axis, in the given order. Densities have outputs without numbers.
func joined(_ outputs: [Tensor], _ order: [Int]) -> Tensor {
  outputs.count == 1 || outputs[0].shape[-1] == 0
    ? outputs[0] : concatenate(order.map { outputs[$0] }, axis: -1)
}
