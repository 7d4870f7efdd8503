import Tensors

/// A bijection in one direction, taken layer by layer from its outputs back to its inputs: what `Reversible` runs.
///
/// It follows the composition of the mapping and of its inverse in step: chains, members side by side, and changes of the
/// context. A pair whose compositions differ counts as one layer.
struct Replay: Sendable {
  let mapping: Mapping
  let inverse: Mapping
  let checkpoint: Int?

  /// The way back through one layer; `index` counts the layers in running order.
  private typealias Layer = (
    _ index: Int, _ mapping: Mapping, _ inverse: Mapping, _ params: Params, _ outputs: Tensor,
    _ context: Tensor?, _ cotangents: Mapping.Cotangents, _ wanted: (inputs: Bool, context: Bool)
  ) throws(FlowError) -> Mapping.Reversed

  // MARK: - Forward

  /// The inputs of the layers for which `isWanted` holds, and the results.
  private func inputs(
    _ params: Params, _ x: Tensor, _ context: Tensor?, where isWanted: (Int) -> Bool
  ) throws(FlowError) -> (inputs: [Int: Tensor], results: (outputs: Tensor, logDet: Tensor), count: Int) {
    var (stored, count): ([Int: Tensor], Int) = ([:], 0)
    func run(_ mapping: Mapping, _ inverse: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?)
      throws(FlowError) -> (outputs: Tensor, logDet: Tensor)
    {
      func member(_ one: Mapping.Member, _ back: Mapping.Member, _ x: Tensor, _ context: Tensor?)
        throws(FlowError) -> (outputs: Tensor, logDet: Tensor)
      {
        try one.mapping.domain.check(x, who: one.mapping.name)
        return try run(one.mapping, back.mapping, one.address(params), x, context)
      }
      var total: Tensor?
      func add(_ logDet: Tensor, of mapping: Mapping) {
        if mapping.traits.contains(.volumePreserving) { return }
        total = total.map { $0 + logDet } ?? logDet
      }
      switch Pairing(mapping, inverse) {
      case .layer:
        if isWanted(count) { stored[count] = x }
        count += 1
        return try mapping.body(params, x, context)
      case .chain(let members):
        var y = x
        for (one, back) in members {
          let (next, logDet) = try member(one, back, y, context)
          y = next
          add(logDet, of: one.mapping)
        }
        return (y, total ?? .zeros([x.rows], dtype: x.dtype))
      case .split(let parts):
        var pieces: [(Range<Int>, Tensor)] = []
        for (one, back) in parts {
          let (y, logDet) = try member(
            one.member, back.member, x.sliced(axis: -1, one.inputs), context)
          pieces.append((one.outputs, y))
          add(logDet, of: one.member.mapping)
        }
        return (joined(pieces), total ?? .zeros([x.rows], dtype: x.dtype))
      case .seeing(let one, let back, let change):
        return try member(one, back, x, change(params, context))
      }
    }
    let results = try run(mapping, inverse, params, x, context)
    return (stored, results, count)
  }

  /// Outputs and log-det, and the map from their cotangents to those of inputs, learned leaves and context.
  func run(
    _ params: Params, _ x: Tensor, _ context: Tensor?, wanted: (inputs: Bool, context: Bool)
  ) throws(FlowError) -> (outputs: [Tensor], pullback: ([Tensor?]) -> [Tensor?]) {
    let (stored, results, count) = try inputs(params, x, context) { i in
      checkpoint.map { i > 0 && i % $0 == 0 } ?? false
    }
    let end = results.outputs
    let pullback: ([Tensor?]) -> [Tensor?] = { cotangents in
      do throws(FlowError) {
        let result = try back(params, end, context, (cotangents[0], cotangents[1]), wanted, count: count) {
          (i, mapping, inverse, params, y, context, g, wanted) throws(FlowError) in
          try mapping.reversed(
            params, outputs: y, inputs: stored[i], through: inverse, context, g, wanted: wanted)
        }
        return [result.byInputs] + result.byParams + (context == nil ? [] : [result.byContext])
      } catch {
        let leaves = params.learnedLeaves
        return ([x] + leaves + (context.map { [$0] } ?? [])).map { .full($0.shape, .nan, dtype: $0.dtype) }
      }
    }
    return ([results.outputs, results.logDet], pullback)
  }

  /// The largest relative difference between each layer's inputs and those recovered from the last outputs.
  func drift(_ params: Params, _ x: Tensor, _ context: Tensor?) throws(FlowError) -> [Double] {
    let (known, results, count) = try inputs(params, x, context) { _ in true }
    var drifts = [Double](repeating: 0, count: count)
    _ = try back(params, results.outputs, context, (nil, nil), (true, false), count: count) {
      (i, _, inverse, params, y, context, _, _) throws(FlowError) in
      let recovered = try inverse.body(params, y, context).outputs
      guard let inputs = known[i] else { fatalError("each layer's inputs are stored") }
      drifts[i] = (abs(recovered - inputs) / maximum(abs(inputs), 1)).doubles.max() ?? 0
      let isStored = checkpoint.map { i > 0 && i % $0 == 0 } ?? false
      return .init(
        inputs: isStored ? inputs : recovered, byParams: params.learnedLeaves.map { _ in nil })
    }
    return drifts
  }

  // MARK: - Back

  private func back(
    _ params: Params, _ outputs: Tensor, _ context: Tensor?, _ cotangents: Mapping.Cotangents,
    _ wanted: (inputs: Bool, context: Bool), count: Int, _ layer: Layer
  ) throws(FlowError) -> Mapping.Reversed {
    var index = count
    func run(
      _ mapping: Mapping, _ inverse: Mapping, _ params: Params, _ y: Tensor, _ context: Tensor?,
      _ g: Mapping.Cotangents, _ wanted: (inputs: Bool, context: Bool)
    ) throws(FlowError) -> Mapping.Reversed {
      var byContext: Tensor?
      var byParams = [Tensor?](repeating: nil, count: params.learnedLeaves.count)
      func member(
        _ one: Mapping.Member, _ back: Mapping.Member, _ y: Tensor, _ context: Tensor?, _ g: Tensor?,
        _ wanted: (inputs: Bool, context: Bool)
      ) throws(FlowError) -> Mapping.Reversed {
        let result = try run(
          one.mapping, back.mapping, one.address(params), y, context, (g, cotangents.logDet), wanted)
        let first = one.address.leavesBefore(in: params)
        for (i, part) in result.byParams.enumerated() { byParams[first + i] = sum(byParams[first + i], part) }
        byContext = sum(byContext, result.byContext)
        return result
      }
      switch Pairing(mapping, inverse) {
      case .layer:
        index -= 1
        return try layer(index, mapping, inverse, params, y, context, g, wanted)
      case .chain(let members):
        var (x, g) = (y, g.outputs)
        for (i, (one, back)) in members.enumerated().reversed() {
          let result = try member(one, back, x, context, g, (wanted.inputs || i > 0, wanted.context))
          (x, g) = (result.inputs, result.byInputs)
        }
        return .init(inputs: x, byInputs: g, byParams: byParams, byContext: byContext)
      case .split(let parts):
        var (inputs, byInputs): ([(Range<Int>, Tensor)], [(Range<Int>, Tensor)]) = ([], [])
        for (one, back) in parts.reversed() {
          let own = g.outputs.map { $0.sliced(axis: -1, one.outputs) }
          let result = try member(
            one.member, back.member, y.sliced(axis: -1, one.outputs), context, own, wanted)
          inputs.append((one.inputs, result.inputs))
          byInputs.append(
            (one.inputs, result.byInputs ?? .zeros(result.inputs.shape, dtype: result.inputs.dtype)))
        }
        return .init(
          inputs: joined(inputs), byInputs: wanted.inputs ? joined(byInputs) : nil, byParams: byParams,
          byContext: byContext)
      case .seeing(let one, let back, let change):
        return try seeing(params, context, change, wanted) { (inner, isWanted) throws(FlowError) in
          let result = try member(one, back, y, inner, g.outputs, (wanted.inputs, isWanted))
          return .init(
            inputs: result.inputs, byInputs: result.byInputs, byParams: byParams, byContext: byContext)
        }
      }
    }
    return try run(mapping, inverse, params, outputs, context, cotangents, wanted)
  }

  /// The way back through a change of the context: the cotangent of the changed context is pulled back to the parameters
  /// and the context.
  private func seeing(
    _ params: Params, _ context: Tensor?, _ change: Mapping.ContextChange,
    _ wanted: (inputs: Bool, context: Bool),
    _ inside: (_ inner: Tensor?, _ isWanted: Bool) throws(FlowError) -> Mapping.Reversed
  ) throws(FlowError) -> Mapping.Reversed {
    guard let context else { return try inside(nil, false) }
    let leaves = params.learnedLeaves
    let (values, pullback) = try pullbackOnce(
      at: leaves + [context], wanted: leaves.map { _ in true } + [wanted.context]
    ) { (points) throws(FlowError) in
      let own = params.replacingLearned(with: Array(points[..<leaves.count]))
      return try change(own, points[leaves.count]).map { [$0] } ?? []
    }
    var result = try inside(values.first, !values.isEmpty)
    let cotangents = pullback(values.isEmpty ? [] : [result.byContext])
    for i in leaves.indices { result.byParams[i] = sum(result.byParams[i], cotangents[i]) }
    result.byContext = wanted.context ? cotangents[leaves.count] : nil
    return result
  }
}

/// The compositions of a mapping and its inverse, member beside member.
private enum Pairing {
  case layer
  case chain([(Mapping.Member, Mapping.Member)])
  case split([(Mapping.Part, Mapping.Part)])
  case seeing(Mapping.Member, Mapping.Member, Mapping.ContextChange)

  init(_ mapping: Mapping, _ inverse: Mapping) {
    self =
      switch (mapping.composition, inverse.composition) {
      case (.chain(let there), .chain(let back)) where there.count == back.count:
        .chain(Array(zip(there, back.reversed())))
      case (.split(let there), .split(let back)) where there.count == back.count:
        .split(Array(zip(there, back)))
      case (.seeing(let there, let change), .seeing(let back, _)):
        .seeing(there, back, change)
      default: .layer
      }
  }
}

/// Pieces of the last axis, put together in the order of their ranges.
private func joined(_ pieces: [(range: Range<Int>, tensor: Tensor)]) -> Tensor {
  let sorted = pieces.sorted { $0.range.lowerBound < $1.range.lowerBound }.map(\.tensor)
  return sorted.count == 1 ? sorted[0] : concatenate(sorted, axis: -1)
}

/// The sum of two cotangents, where nil stands for zero.
private func sum(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
  guard let a, let b else { return a ?? b }
  return a + b
}
