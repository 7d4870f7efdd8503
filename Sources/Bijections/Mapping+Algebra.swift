import Tensors

// The only place where mappings are made from mappings: traits, statistics, domains and members are carried here.

extension Mapping {
  /// Mappings one after the other; log-dets add up.
  ///
  /// Without members it is the identity at `site`.
  package static func chain(_ name: String, _ members: [(Mapping, Address)], at site: Site) -> Mapping {
    chain(name, members.map(Member.init), at: site)
  }

  static func chain(_ name: String, _ members: [Member], at site: Site) -> Mapping {
    let mappings = members.map(\.mapping)
    let domain = mappings.first?.domain ?? Domain(site.inputDim)
    let steps = members.map { Step($0) }
    let body: Body = { (params, inputs, context) throws(FlowError) in
      var (x, total) = (inputs, Tensor?.none)
      for step in steps {
        let (y, logDet) = try step.body(step.address(params), x, context)
        x = y
        if !step.preservesVolume { total = total.map { $0 + logDet } ?? logDet }
      }
      return (x, total ?? .zeros([inputs.rows], dtype: inputs.dtype))
    }
    var chain = Mapping(
      of: body, site.boundary(name, domain), to: mappings.last?.codomain ?? domain, Traits(of: mappings),
      chainStatistics(members))
    chain.composition = .chain(members)
    return chain
  }

  /// Mappings side by side, each on a range of the last axis; log-dets add up.
  ///
  /// The inputs' ranges cover the axis once, and so do the outputs'.
  static func split(
    _ name: String, _ parts: [Part], from shape: Shape, to outcome: Shape, at site: Site,
    _ combine: (@Sendable (_ params: Params, _ logDets: [Tensor]) -> Tensor)? = nil
  ) -> Mapping {
    let mappings = parts.map(\.member.mapping)
    let steps = parts.map { Step($0.member, inputs: $0.inputs.count < shape[-1] ? $0.inputs : nil) }
    let order = parts.indices.sorted { parts[$0].outputs.lowerBound < parts[$1].outputs.lowerBound }
    let body: Body = { (params, x, context) throws(FlowError) in
      var (outputs, logDets): ([Tensor], [Tensor]) = ([], [])
      for step in steps {
        let part = step.inputs.map { x.sliced(axis: -1, $0) } ?? x
        let (y, logDet) = try step.body(step.address(params), part, context)
        outputs.append(y)
        if !step.preservesVolume { logDets.append(logDet) }
      }
      let total =
        combine?(params, logDets) ?? logDets.dropFirst().reduce(logDets.first) { a, b in a.map { $0 + b } }
      return (joined(outputs, order), total ?? .zeros([x.rows], dtype: x.dtype))
    }
    var split = Mapping(
      of: body, site.boundary(name, Domain(shape, .common(of: mappings.map(\.domain.values)))),
      to: Domain(outcome, .common(of: mappings.map(\.codomain.values))), Traits(of: mappings),
      splitStatistics(parts))
    split.composition = .split(parts)
    return split
  }

  /// Densities of one number each, side by side in the order of the numbers.
  package static func sideBySide(_ name: String, _ members: [(Mapping, Address)], at site: Site) -> Mapping {
    let parts = members.enumerated().map { i, member in
      Part(member: Member(mapping: member.0, address: member.1), inputs: i..<i + 1, outputs: 0..<0)
    }
    return split(name, parts, from: site.inputDim, to: [0], at: site)
  }

  /// The mapping behind a change of the context, which may depend on the parameters around it.
  package func seeing(_ name: String, at address: Address, in site: Site, _ change: @escaping ContextChange)
    -> Mapping
  {
    let (body, moved) = (body, statistics)
    var statistics: Statistics?
    if let moved {
      statistics = { (params, x, context) throws(FlowError) in
        try address.replacing(params, by: moved(address(params), x, change(params, context)))
      }
    }
    var mapping = Mapping(
      of: { (params, x, context) throws(FlowError) in
        try body(address(params), x, change(params, context))
      }, site.boundary(name, domain), to: codomain, traits, statistics)
    mapping.composition = .seeing(Member(mapping: self, address: address), change)
    return mapping
  }

  /// Densities of the same inputs, whose log-densities `combine` makes into one: the components of a mixture.
  package static func alternatives(
    _ name: String, _ members: [(Mapping, Address)], at site: Site,
    _ combine: @escaping @Sendable (_ params: Params, _ logDets: [Tensor]) -> Tensor
  ) -> Mapping {
    let parts = members.map {
      Part(member: Member(mapping: $0.0, address: $0.1), inputs: 0..<site.channels, outputs: 0..<0)
    }
    return split(name, parts, from: site.inputDim, to: [0], at: site, combine)
  }

  /// The same mapping with its body replaced: one that gives the same results in another way.
  func evaluated(_ name: String, by body: @escaping Body) -> Mapping {
    var boundary = Boundary(name, domain: domain, contextDim: boundary.contextDim, dtype: boundary.dtype)
    boundary.structure = self.boundary.structure
    var mapping = Mapping(of: body, boundary, to: codomain, traits, statistics)
    mapping.composition = composition
    return mapping
  }

  /// The same mapping under another name.
  package func named(_ name: String) -> Mapping { evaluated(name, by: body) }

  /// The mathematics as a member of another mapping runs it. Values outside the domain are an error of a bijection; rows
  /// outside the support of a density have the log-density −∞, with derivative 0.
  package var checkedBody: Body {
    if domain.values == .reals { return body }
    let (domain, name, body, isDensity) = (domain, name, body, codomain.shape == [0])
    return { (params, x, context) throws(FlowError) in
      guard isDensity, let isOutside = domain.rowsOutside(x) else {
        if !isDensity { try domain.check(x, who: name) }
        return try body(params, x, context)
      }
      let ones = [Int](repeating: 1, count: x.rank - 1)
      let mask = isOutside.reshaped(to: Shape([x.rows] + ones)).broadcast(to: x.shape)
      let inside = select(where: mask, domain.member(dtype: x.dtype).broadcast(to: x.shape), x)
      let (outputs, logDensity) = try body(params, inside, context)
      return (outputs, select(where: isOutside, -.infinity, logDensity))
    }
  }
}

// MARK: - Traits and statistics

extension Mapping.Traits {
  /// Volume is preserved where all members preserve it; rows are coupled where one member couples them.
  fileprivate init(of mappings: [Mapping]) {
    self = mappings.allSatisfy { $0.traits.contains(.volumePreserving) } ? .volumePreserving : []
    if mappings.contains(where: { $0.traits.contains(.couplesRows) }) { insert(.couplesRows) }
  }
}

extension Domain.Values {
  /// The set that all members have, where it is a set of single numbers; else all reals, and each member checks its own.
  fileprivate static func common(of values: [Domain.Values]) -> Domain.Values {
    guard let first = values.first, values.allSatisfy({ $0 == first }) else { return .reals }
    return first.isOfSingleNumbers ? first : .reals
  }
}

extension Mapping {
  /// Each member moves its statistics by its own inputs, which come through the members as they were.
  private static func chainStatistics(_ members: [Member]) -> Statistics? {
    guard let last = members.lastIndex(where: { $0.mapping.statistics != nil }) else { return nil }
    let members = members[...last]
    return { (params, batch, context) throws(FlowError) in
      var (updated, x) = (params, batch)
      for (i, member) in members.enumerated() {
        if let statistics = member.mapping.statistics {
          let moved = try statistics(member.address(updated), x, context)
          updated = try member.address.replacing(updated, by: moved)
        }
        if i < last { x = try member.mapping.checkedBody(member.address(params), x, context).outputs }
      }
      return updated
    }
  }

  private static func splitStatistics(_ parts: [Part]) -> Statistics? {
    let parts = parts.filter { $0.member.mapping.statistics != nil }
    if parts.isEmpty { return nil }
    return { (params, batch, context) throws(FlowError) in
      var updated = params
      for part in parts {
        guard let statistics = part.member.mapping.statistics else { continue }
        let moved = try statistics(
          part.member.address(updated), batch.sliced(axis: -1, part.inputs), context)
        updated = try part.member.address.replacing(updated, by: moved)
      }
      return updated
    }
  }
}

/// A member as its composite runs it for each batch: a whole mapping has many parts to copy.
private struct Step: Sendable {
  let body: Mapping.Body
  let address: Address
  let preservesVolume: Bool
  let inputs: Range<Int>?

  init(_ member: Mapping.Member, inputs: Range<Int>? = nil) {
    (address, self.inputs) = (member.address, inputs)
    preservesVolume = member.mapping.traits.contains(.volumePreserving)
    body = member.mapping.checkedBody
  }
}

/// Parts side by side on the last axis, in the given order; those of densities have no numbers.
private func joined(_ parts: [Tensor], _ order: [Int]) -> Tensor {
  parts.count == 1 || parts[0].shape[-1] == 0 ? parts[0] : concatenate(order.map { parts[$0] }, axis: -1)
}
