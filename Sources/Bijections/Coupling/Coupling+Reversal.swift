import Tensors

extension Coupling {
  /// One direction of a transformer, from features and raw parameters to outputs and log-dets.
  typealias Map = @Sendable (_ x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logDet: Tensor)

  /// The backward pass of a coupling from its outputs, with one evaluation of the conditioner.
  ///
  /// The output y = (a, f(b; θ)) contains a, so θ = net(a, context) is evaluated once, on a tape. The
  /// inverse of f gives b, and f is cheap enough to run again on another tape. Taking a sample apart is
  /// linear, so one pullback serves a and b.
  func reversal(
    _ partition: Partition, isOrdered: Bool,
    _ net: @escaping @Sendable (Params, Tensor, Tensor?) -> Tensor, _ map: @escaping Map,
    _ back: @escaping Map
  ) -> Mapping.Reversal {
    { (params, y, context, cotangents, wanted) throws(FlowError) in
      let order = isOrdered ? params["permutation"] : nil
      let parts = partition.open(y, order)
      let point = Arguments(inputs: [parts.seen], params: params.child("net"), context: context)
      let (raw, pullNet) = pullbackOnce(
        at: point.tensors, wanted: point.marked(inputs: wanted.inputs, context: wanted.context)
      ) { tensors in
        let point = point.replaced(by: tensors)
        return [parts.parameters(net(point.params, point.inputs[0], point.context))]
      }
      let b = back(parts.transformed, raw[0]).outputs
      let (_, pullMap) = pullbackOnce(at: [b, raw[0]], wanted: [wanted.inputs, true]) { points in
        let (outputs, logDet) = map(points[0], points[1])
        return [outputs, logDet]
      }
      let g = cotangents.outputs.map { partition.open($0, order) }
      let fromMap = pullMap([g?.transformed, cotangents.logDet])
      let fromNet = point.taken(apart: pullNet([fromMap[1]]))
      let x = parts.close(b)
      var byInputs: Tensor?
      if wanted.inputs {
        let (_, pullParts) = pullbackOnce(at: [x], wanted: [true]) { points in
          let parts = partition.open(points[0], order)
          return [parts.seen, parts.transformed]
        }
        byInputs = pullParts([sum(g?.seen, fromNet.inputs[0]), fromMap[0]])[0]
      }
      var byParams = [Tensor?](repeating: nil, count: params.learnedLeaves.count)
      let first = Address("net").leavesBefore(in: params)
      byParams.replaceSubrange(first..<first + fromNet.leaves.count, with: fromNet.leaves)
      return (x, byInputs, byParams, fromNet.context ?? nil)
    }
  }
}
