import Tensors

/// Runs one direction of a bijection beside the other, layer by layer: the engine of `Reversible`.
///
/// It follows the compositions of both in step: chains, members side by side, and changes of the context. A
/// pair whose compositions differ counts as one layer.
struct Replay: Sendable {
  let mapping: Mapping
  let inverse: Mapping
  let checkpoint: Int?

  /// Computes outputs and log-det, and their pullback to inputs, learned leaves and context.
  func run(
    _ point: Arguments, wanted: (inputs: Bool, context: Bool)
  ) throws(FlowError) -> (outputs: [Tensor], pullback: ([Tensor?]) -> [Tensor?]) {
    let (x, context) = (point.inputs[0], point.context)
    let (results, stored, count) = try forward(point.params, x, context, storing: isStored)
    let pullback: ([Tensor?]) -> [Tensor?] = { cotangents in
      do throws(FlowError) {
        var place = Place(point.params, context, byContext: wanted.context)
        var index = count
        let state = try walk(inverse, mapping, (results.x, nil, cotangents[0]), &place) {
          (back, layer, state, place) throws(FlowError) in
          index -= 1
          let result = try layer.reversed(
            place.params, outputs: state.x, inputs: stored[index], through: back, place.context,
            (state.cotangent, cotangents[1]), wanted: (wanted.inputs || index > 0, place.wantsContext))
          place.add(result.byParams, result.byContext)
          return (result.inputs, nil, result.byInputs)
        }
        return [state.cotangent] + place.byParams + (context == nil ? [] : [place.byContext])
      } catch {
        return point.tensors.map { .full($0.shape, .nan, dtype: $0.dtype) }
      }
    }
    let logDet = results.logDet ?? Tensor(0, dtype: x.dtype)
    return ([results.x, logDet.repeated(forRows: x.rows)], pullback)
  }

  /// The largest relative difference between each layer's inputs and those recovered from the last outputs.
  func drift(_ params: Params, _ x: Tensor, _ context: Tensor?) throws(FlowError) -> [Double] {
    let (results, known, count) = try forward(params, x, context) { _ in true }
    var drifts: [Double] = []
    var place = Place(params, context, byContext: false)
    _ = try walk(inverse, mapping, (results.x, nil, nil), &place) {
      (back, _, state, place) throws(FlowError) in
      let recovered = try back.body(place.params, state.x, place.context).outputs
      let index = count - 1 - drifts.count
      guard let inputs = known[index] else { fatalError("each layer's inputs are stored") }
      drifts.append((abs(recovered - inputs) / maximum(abs(inputs), 1)).doubles.max() ?? 0)
      return (isStored(index) ? inputs : recovered, nil, nil)
    }
    return drifts.reversed()
  }

  private func isStored(_ layer: Int) -> Bool { checkpoint.map { layer > 0 && layer % $0 == 0 } ?? false }

  /// Runs forward. Returns the results, the stored inputs by their layer's number in running order, and the
  /// number of layers.
  private func forward(
    _ params: Params, _ x: Tensor, _ context: Tensor?, storing isStored: (Int) -> Bool
  ) throws(FlowError) -> (results: State, stored: [Int: Tensor], count: Int) {
    var (stored, count): ([Int: Tensor], Int) = ([:], 0)
    var place = Place(params, context, byContext: false)
    let results = try walk(mapping, inverse, (x, nil, nil), &place) {
      (layer, _, state, place) throws(FlowError) in
      if isStored(count) { stored[count] = state.x }
      count += 1
      let (y, logDet) = try layer.memberBody(place.params, state.x, place.context)
      return (y, layer.hasNoLogDet ? nil : logDet, nil)
    }
    return (results, stored, count)
  }

  // MARK: - The walk

  /// The state of a walk: values, the sum of log-dets within a composite, and the values' cotangent. Nil
  /// stands for zero.
  private typealias State = (x: Tensor, logDet: Tensor?, cotangent: Tensor?)

  /// The action of a walk on one layer and its inverse.
  private typealias Layer = (_ layer: Mapping, _ back: Mapping, State, inout Place) throws(FlowError) -> State

  private func walk(
    _ mapping: Mapping, _ partner: Mapping, _ state: State, _ place: inout Place, _ layer: Layer
  ) throws(FlowError) -> State {
    switch (mapping.composition, partner.composition) {
    case (.chain(let members), .chain(let partners)) where members.count == partners.count:
      var (state, total) = (state, Tensor?.none)
      for (member, partner) in zip(members, partners.reversed()) {
        state = try inside(member, partner, (state.x, nil, state.cotangent), &place, layer)
        total = sum(total, state.logDet)
      }
      return (state.x, total, state.cotangent)
    case (.split(let parts), .split(let partners)) where parts.count == partners.count:
      var states: [State] = []
      for (part, partner) in zip(parts, partners.reversed()) {
        func own(_ x: Tensor) -> Tensor { x.sliced(axis: -1, part.inputs) }
        let start = (own(state.x), Tensor?.none, state.cotangent.map(own))
        states.append(try inside(part.member, partner.member, start, &place, layer))
      }
      let (order, isFollowed) = (outputOrder(parts), states.contains { $0.cotangent != nil })
      let cotangents = states.map { $0.cotangent ?? .zeros($0.x.shape, dtype: $0.x.dtype) }
      return (
        joined(states.map(\.x), order), states.map(\.logDet).reduce(nil, sum),
        isFollowed ? joined(cotangents, order) : nil
      )
    case (.seeing(let member, let change), .seeing(let partner, _)):
      return try place.seeing(change, rows: state.x.rows) { (place) throws(FlowError) in
        try inside(member, partner, state, &place, layer)
      }
    default:
      return try layer(mapping, partner, state, &place)
    }
  }

  private func inside(
    _ member: Mapping.Member, _ partner: Mapping.Member, _ state: State, _ place: inout Place, _ layer: Layer
  ) throws(FlowError) -> State {
    try place.descending(to: member.address) { (place) throws(FlowError) in
      try walk(member.mapping, partner.mapping, state, &place, layer)
    }
  }
}

/// The parameters and the context of a mapping within a walk, and the sums of their cotangents.
private struct Place {
  let params: Params
  let context: Tensor?
  let wantsContext: Bool
  private(set) var byParams: [Tensor?]
  private(set) var byContext: Tensor?

  init(_ params: Params, _ context: Tensor?, byContext wantsContext: Bool) {
    (self.params, self.context, self.wantsContext) = (params, context, wantsContext)
    byParams = params.learnedLeaves.map { _ in nil }
  }

  mutating func add(_ params: [Tensor?], _ context: Tensor?, from first: Int = 0) {
    for (i, part) in params.enumerated() { byParams[first + i] = sum(byParams[first + i], part) }
    byContext = sum(byContext, context)
  }

  /// Walks within the subtree at an address.
  mutating func descending<Outcome>(
    to address: Address, _ walk: (inout Place) throws(FlowError) -> Outcome
  ) throws(FlowError) -> Outcome {
    var place = Place(address(params), context, byContext: wantsContext)
    let outcome = try walk(&place)
    add(place.byParams, place.byContext, from: address.leavesBefore(in: params))
    return outcome
  }

  /// Walks with a changed context, and pulls the new context's cotangent back through the change.
  mutating func seeing<Outcome>(
    _ change: @escaping Mapping.ContextChange, rows: Int,
    _ walk: (inout Place) throws(FlowError) -> Outcome
  ) throws(FlowError) -> Outcome {
    let point = Arguments(params: params, context: context)
    let (values, pullback) = try pullbackOnce(
      at: point.tensors, wanted: point.marked(inputs: true, context: true)
    ) { (tensors) throws(FlowError) in
      let point = point.replaced(by: tensors)
      return try change(point.params, point.context, rows).map { [$0] } ?? []
    }
    var place = Place(params, values.first, byContext: !values.isEmpty)
    let outcome = try walk(&place)
    add(place.byParams, nil)
    guard let cotangent = place.byContext else { return outcome }
    let parts = point.taken(apart: pullback([cotangent]))
    add(parts.leaves, wantsContext ? parts.context ?? nil : nil)
    return outcome
  }
}
