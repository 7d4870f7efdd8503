import Tensors

// The only place where mappings are made from mappings. It carries traits, statistics, domains and members.

extension Mapping {
  /// Composes mappings, first to last. Their log-dets add up. Without members it is the identity at `site`.
  package static func chain(_ name: String, _ members: [Member], at site: Site) -> Mapping {
    let mappings = members.map(\.mapping)
    let domain = mappings.first?.domain ?? Domain(site.inputDim)
    // A step holds only the fields that run for each batch: a whole mapping takes longer to copy.
    let steps = members.map {
      ($0.address, $0.mapping.memberBody, $0.mapping.traits.contains(.couplesRows), $0.mapping.hasNoLogDet)
    }
    let body: Body = { (params, inputs, context) throws(FlowError) in
      var (x, total) = (inputs, Tensor?.none)
      for (address, body, couplesRows, hasNoLogDet) in steps {
        let inside = couplesRows ? total?.rowsInside : nil
        let (y, logDet) = try inside.run(x, context) { (x, context) throws(FlowError) in
          try body(address(params), x, context)
        }
        x = y
        if !hasNoLogDet { total = sum(total, logDet) }
      }
      return (x, total ?? .zeros([inputs.rows], dtype: inputs.dtype))
    }
    var chain = Mapping(
      site.boundary(name, domain), to: mappings.last?.codomain ?? domain, traits: Traits(of: mappings),
      body: body)
    chain.composition = .chain(members)
    if chain.isDensity { chain.body = zeroSlopeOutside(body) }
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
      return (address, mapping.memberBody, mapping.hasNoLogDet, inputs)
    }
    let body: Body = { (params, x, context) throws(FlowError) in
      var (outputs, logDets): ([Tensor], [Tensor]) = ([], [])
      for (address, body, hasNoLogDet, inputs) in steps {
        let (y, logDet) = try body(address(params), inputs.map { x.sliced(axis: -1, $0) } ?? x, context)
        outputs.append(y)
        if !hasNoLogDet { logDets.append(logDet) }
      }
      let total = combine?(params, logDets) ?? logDets.reduce(nil, sum)
      return (joined(outputs, order), total ?? .zeros([x.rows], dtype: x.dtype))
    }
    var split = Mapping(
      site.boundary(name, Domain(shape, isDensity ? .reals : .common(of: mappings.map(\.domain.values)))),
      to: Domain(outcome, .common(of: mappings.map(\.codomain.values))), traits: Traits(of: mappings),
      body: body)
    split.composition = .split(parts)
    if isDensity && combine == nil { split.body = zeroSlopeOutside(body) }
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
    var mapping = Mapping(
      site.boundary(name, domain), to: codomain, traits: traits
    ) { (params, x, context) throws(FlowError) in
      try body(address(params), x, change(params, context, x.rows))
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
  /// Whether the log-det is 0 in all rows, those outside the domain of a layer included.
  var hasNoLogDet: Bool { preservesVolume && !isBounded }
  /// Whether this is a log-density: a mapping without outputs.
  var isDensity: Bool { codomain.shape == [0] }
}

// MARK: - Traits

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

/// The order in which the outputs of parts stand on the last axis.
func outputOrder(_ parts: [Mapping.Part]) -> [Int] {
  parts.indices.sorted { parts[$0].outputs.lowerBound < parts[$1].outputs.lowerBound }
}

/// Joins the outputs of parts on the last axis, in the given order. Densities have outputs without numbers.
func joined(_ outputs: [Tensor], _ order: [Int]) -> Tensor {
  outputs.count == 1 || outputs[0].shape[-1] == 0
    ? outputs[0] : concatenate(order.map { outputs[$0] }, axis: -1)
}
