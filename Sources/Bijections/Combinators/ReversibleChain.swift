import Tensors

/// The layers of a bijection in one direction, each beside its inverse: what `Reversible` runs.
struct ReversibleChain: Sendable {
  private struct Layer: Sendable {
    let mapping: Mapping
    let inverse: Mapping
    let path: [Int]
  }
  private let layers: [Layer]
  private let checkpoint: Int?

  init(_ mapping: Mapping, undoneBy inverse: Mapping, checkpoint: Int?) {
    let (there, back) = (mapping.layers(), Array(inverse.layers().reversed()))
    let pairs = zip(there, back).map { Layer(mapping: $0.mapping, inverse: $1.mapping, path: $0.path) }
    let agree = there.count == back.count && zip(there, back).allSatisfy { $0.path == $1.path }
    layers = agree ? pairs : [Layer(mapping: mapping, inverse: inverse, path: [])]
    self.checkpoint = checkpoint
  }

  /// Outputs and log-det, and the map from their cotangents to those of inputs, learned leaves and context.
  func run(
    _ params: Params, _ x: Tensor, _ context: Tensor?, wanted: (inputs: Bool, context: Bool)
  ) throws(FlowError) -> (outputs: [Tensor], pullback: ([Tensor?]) -> [Tensor?]) {
    var (y, total) = (x, Tensor?.none)
    var stored: [Int: Tensor] = [:]
    for (i, layer) in layers.enumerated() {
      if let checkpoint, i > 0, i % checkpoint == 0 { stored[i] = y }
      let (next, logDet) = try step(layer.mapping, params.part(at: layer.path).tree, y, context)
      y = next
      if !layer.mapping.traits.contains(.volumePreserving) { total = total.map { $0 + logDet } ?? logDet }
    }
    let (end, inputsOfLayers) = (y, stored)
    let pullback: ([Tensor?]) -> [Tensor?] = { cotangents in
      do throws(FlowError) {
        return try back(params, end, inputsOfLayers, context, cotangents, wanted)
      } catch {
        let leaves = params.learnedLeaves
        return ([x] + leaves + (context.map { [$0] } ?? [])).map { .full($0.shape, .nan, dtype: $0.dtype) }
      }
    }
    return ([y, total ?? .zeros([x.rows], dtype: x.dtype)], pullback)
  }

  private func back(
    _ params: Params, _ end: Tensor, _ stored: [Int: Tensor], _ context: Tensor?, _ cotangents: [Tensor?],
    _ wanted: (inputs: Bool, context: Bool)
  ) throws(FlowError) -> [Tensor?] {
    var (y, g, byContext) = (end, cotangents[0], Tensor?.none)
    var byParams = [Tensor?](repeating: nil, count: params.learnedLeaves.count)
    for (i, layer) in layers.enumerated().reversed() {
      let (own, first) = params.part(at: layer.path)
      let result = try layer.mapping.reversed(
        own, outputs: y, inputs: stored[i], through: layer.inverse, context, (g, cotangents[1]),
        wanted: (wanted.inputs || i > 0, wanted.context))
      (y, g) = (result.inputs, result.byInputs)
      for (j, leaf) in result.byParams.enumerated() { byParams[first + j] = leaf }
      if let part = result.byContext { byContext = byContext.map { $0 + part } ?? part }
    }
    return [g] + byParams + (context == nil ? [] : [byContext])
  }

  /// The largest relative difference between each layer's input and the one recovered from the chain's outputs.
  func drift(_ params: Params, _ x: Tensor, _ context: Tensor?) throws(FlowError) -> [Double] {
    var inputs: [Tensor] = []
    var y = x
    for layer in layers {
      inputs.append(y)
      y = try step(layer.mapping, params.part(at: layer.path).tree, y, context).outputs
    }
    var drifts: [Double] = []
    for (i, layer) in layers.enumerated().reversed() {
      let recovered = try layer.inverse.body(params.part(at: layer.path).tree, y, context).outputs
      let relative = abs(recovered - inputs[i]) / maximum(abs(inputs[i]), 1)
      drifts.append(relative.doubles.max() ?? 0)
      y = checkpoint.map { i > 0 && i % $0 == 0 } ?? false ? inputs[i] : recovered
    }
    return drifts.reversed()
  }

  private func step(
    _ mapping: Mapping, _ params: Params, _ x: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    try mapping.domain.check(x, who: mapping.name)
    return try mapping.body(params, x, context)
  }
}
