import Tensors

extension Coupling {
  /// One direction of a transformer: numbers and raw parameters give outputs and log-dets.
  typealias Map = @Sendable (_ x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logDet: Tensor)

  /// A coupling's backward pass from its outputs, with one evaluation of the conditioner.
  ///
  /// y = (a, f(b; θ)) tells a, so θ = net(a, context) is evaluated once, on a tape; f's inverse gives b from f(b; θ), and f is
  /// cheap enough to be evaluated again on another. Taking a sample apart is linear: its pullback serves a and b alike.
  func reversal(
    _ partition: Partition, isOrdered: Bool,
    _ net: @escaping @Sendable (Params, Tensor, Tensor?) -> Tensor, _ map: @escaping Map,
    _ back: @escaping Map
  ) -> Mapping.Reversal {
    { (params, y, context, cotangents, wanted) throws(FlowError) in
      let own = params.child("net")
      let order = isOrdered ? params["permutation"] : nil
      let parts = partition.open(y, order)
      let leaves = own.learnedLeaves
      let given = [parts.seen] + (context.map { [$0] } ?? [])
      let (raw, pullNet) = pullbackOnce(
        at: leaves + given,
        wanted: leaves.map { _ in true } + [wanted.inputs] + (context.map { _ in [wanted.context] } ?? [])
      ) { points in
        let own = own.replacingLearned(with: Array(points[..<leaves.count]))
        return [
          parts.parameters(net(own, points[leaves.count], context.map { _ in points[leaves.count + 1] }))
        ]
      }
      let b = back(parts.transformed, raw[0]).outputs
      let (_, pullMap) = pullbackOnce(at: [b, raw[0]], wanted: [wanted.inputs, true]) { points in
        let (outputs, logDet) = map(points[0], points[1])
        return [outputs, logDet]
      }
      let g = cotangents.outputs.map { partition.open($0, order) }
      let fromMap = pullMap([g?.transformed, cotangents.logDet])
      let fromNet = pullNet([fromMap[1]])
      let x = parts.close(b)
      var gx: Tensor?
      if wanted.inputs {
        let seen = [g?.seen, fromNet[leaves.count]].compactMap { $0 }
        let (_, pullParts) = pullbackOnce(at: [x], wanted: [true]) { points in
          let parts = partition.open(points[0], order)
          return [parts.seen, parts.transformed]
        }
        gx =
          pullParts([seen.dropFirst().reduce(seen.first) { sum, part in sum.map { $0 + part } }, fromMap[0]])[
            0]
      }
      var byParams = [Tensor?](repeating: nil, count: params.learnedLeaves.count)
      let first = Address("net").leavesBefore(in: params)
      byParams.replaceSubrange(first..<first + leaves.count, with: fromNet[..<leaves.count])
      return Mapping.Reversed(
        inputs: x, byInputs: gx, byParams: byParams,
        byContext: context == nil ? nil : fromNet[leaves.count + 1])
    }
  }
}
