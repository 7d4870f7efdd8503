import Tensors

extension Mapping {
  /// Whether exactly one continuous layer runs inside, forward, as the last one before a density.
  package var endsInContinuousLayer: Bool {
    if let continuous { return continuous.isForward }
    switch composition {
    case .chain(let members):
      let layers = members.map(\.mapping).filter { !$0.isDensity }
      return layers.last?.endsInContinuousLayer == true
        && !layers.dropLast().contains { $0.hasContinuousPart }
    case .seeing(let member, _): return member.mapping.endsInContinuousLayer
    default: return false
    }
  }

  /// The inputs of the continuous layer inside, with its parameters, context and velocity. The layers before
  /// it are constants.
  ///
  /// - Precondition: there is such a layer, in a chain or behind a change of the context.
  package func continuousPart(
    _ params: Params, _ x: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (x: Tensor, params: Params, context: Tensor?, velocity: Velocity) {
    if let continuous { return (x, params, context, continuous.velocity) }
    switch composition {
    case .chain(let members):
      var x = x
      for (mapping, address) in members {
        let own = address(params)
        if mapping.hasContinuousPart { return try mapping.continuousPart(own, x, context) }
        x = try mapping.memberBody(own.map(\.detached), x, context).outputs
      }
    case .seeing(let (mapping, address), let change):
      return try mapping.continuousPart(address(params), x, change(params, context, x.rows))
    default: break
    }
    fatalError("\(name) has no continuous layer")
  }

  /// The log-density of latents under the prior at the end of a chain; nil without a prior.
  package func priorLogDensity(
    _ params: Params, _ z: Tensor, _ context: Tensor?
  ) throws(FlowError) -> Tensor? {
    switch composition {
    case .chain(let members):
      guard let (mapping, address) = members.last, mapping.isDensity else { return nil }
      return try mapping.priorLogDensity(address(params), z, context)
    case .seeing(let (mapping, address), let change):
      return try mapping.priorLogDensity(address(params), z, change(params, context, z.rows))
    default: return isDensity ? try perRow(params, z, context).logDet : nil
    }
  }
}
