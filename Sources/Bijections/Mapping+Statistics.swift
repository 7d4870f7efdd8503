import Tensors

// Statistics of composites, such as the running means of batch normalizations within.

extension Mapping {
  /// A layer with statistics within a composite: the way to its parameters, and the rows that it sees.
  private typealias Use = (path: [Address], layer: Mapping, rows: Tensor, context: Tensor?)

  /// The update of the statistics within a composite; nil if no member has any.
  ///
  /// Each layer sees its own inputs, which earlier layers compute from the old parameters. Layers with the
  /// same parameters update them once, by the rows of all. A row outside the domain of a layer counts neither
  /// there nor in later layers. Layers whose statistics need no rows get none behind the last one that needs
  /// some, so that nothing is computed for them.
  static func statistics(within composition: Composition) -> Statistics? {
    if !composition.hasStatistics { return nil }
    return { (params, batch, context) throws(FlowError) in
      var uses: [Use] = []
      try collect(&uses, in: composition, [], params, batch, context)
      var updated = params
      // The groups' parameters are disjoint, so that values do not depend on their order. A trace does.
      let groups = Dictionary(grouping: uses.indices) { uses[$0].path }.values.sorted { $0[0] < $1[0] }
      for group in groups {
        let uses = group.map { uses[$0] }
        let rows = concatenate(uses.map(\.rows), axis: 0)
        let contexts = uses[0].context.map { _ in concatenate(uses.compactMap(\.context), axis: 0) }
        let needsRows = uses[0].layer.statisticsNeedRows
        guard rows.rows > 0 || !needsRows, let statistics = uses[0].layer.statistics else { continue }
        updated = try replaced(updated, at: uses[0].path[...]) { (own) throws(FlowError) in
          try statistics(own, rows, contexts)
        }
      }
      return updated
    }
  }

  private static func collect(
    _ uses: inout [Use], in composition: Composition, _ path: [Address], _ params: Params, _ x: Tensor,
    _ context: Tensor?
  ) throws(FlowError) {
    func collect(_ member: Member, _ x: Tensor, _ context: Tensor?) throws(FlowError) {
      let (mapping, path) = (member.mapping, path + [member.address])
      if mapping.statistics == nil { return }
      guard case .layer = mapping.composition else {
        return try Self.collect(&uses, in: mapping.composition, path, member.address(params), x, context)
      }
      let isOutside = mapping.domain.rowsOutside(x)?.doubles
      let inside = isOutside.map { isOutside in isOutside.indices.filter { isOutside[$0] == 0 } }
      uses.append(
        (path, mapping, inside.map(x.rows) ?? x, inside.flatMap { context?.rows($0) } ?? context))
    }
    switch composition {
    case .layer: break
    case .chain(let members):
      var (batch, context) = (x, context)
      let last = members.lastIndex { $0.mapping.statisticsNeedRows } ?? -1
      for (i, member) in members.enumerated() {
        if i > last {
          let none = Tensor.zeros(member.mapping.domain.shape.batched(0), dtype: x.dtype)
          (batch, context) = (none, context?[0..<0])
        }
        try collect(member, batch, context)
        if i >= last { continue }
        let (y, logDet) = try member.mapping.memberBody(member.address(params), batch, context)
        let inside = logDet.rowsInside
        (batch, context) = (inside.map(y.rows) ?? y, inside.flatMap { context?.rows($0) } ?? context)
      }
    case .split(let parts):
      for part in parts { try collect(part.member, x.sliced(axis: -1, part.inputs), context) }
    case .seeing(let member, let change):
      try collect(member, x, change(params, context, x.rows))
    }
  }

  /// The tree with the subtree at the end of a way replaced.
  private static func replaced(
    _ params: Params, at path: ArraySlice<Address>, by change: (Params) throws(FlowError) -> Params
  ) throws(FlowError) -> Params {
    guard let first = path.first else { return try change(params) }
    return try first.replacing(params, by: replaced(first(params), at: path.dropFirst(), by: change))
  }
}
