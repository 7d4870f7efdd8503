import Tensors

// Outputs without log-dets, for layers whose log-dets cost much more than their outputs.

extension Mapping {
  /// A function that gives outputs alone.
  typealias Outputs =
    @Sendable (_ params: Params, _ inputs: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor

  /// Whether a layer gives outputs alone at less cost, and no layer restricts its inputs' values.
  package var hasOutputsAlone: Bool { !isBounded && (outputsAlone != nil || composition.hasOutputsAlone) }

  /// Whether it has outputs alone, computed by the same steps as beside the log-det.
  package var hasEqualOutputsAlone: Bool {
    hasOutputsAlone && layers().allSatisfy { $0.mapping.outputsAloneAreEqual }
  }

  /// Computes outputs without checks and without log-dets. Runs on all cores.
  package func outputs(_ params: Params, _ x: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor {
    if traits.contains(.couplesRows) { return try ownOutputs(params, x, context) }
    return try mapRows(
      x.rows, of: x.shape.sample, parameters: params.learnedCount
    ) { (rows) throws(FlowError) in
      [try ownOutputs(params, x[rows], context?[rows])]
    }[0]
  }

  private func ownOutputs(_ params: Params, _ x: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor {
    if !hasOutputsAlone { return try memberBody(params, x, context).outputs }
    switch composition {
    case .layer: return try outputsAlone!(params, x, context)
    case .chain(let members):
      var x = x
      for (mapping, address) in members { x = try mapping.ownOutputs(address(params), x, context) }
      return x
    case .split(let parts):
      var outputs: [Tensor] = []
      for ((mapping, address), inputs, _) in parts {
        outputs.append(try mapping.ownOutputs(address(params), x.sliced(axis: -1, inputs), context))
      }
      return joined(outputs, outputOrder(parts))
    case .seeing(let (mapping, address), let change):
      return try mapping.ownOutputs(address(params), x, change(params, context, x.rows))
    }
  }
}
