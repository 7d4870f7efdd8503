import Randomness
import Tensors

// Estimates of log-dets in training, for layers whose exact log-dets are expensive.

extension Mapping {
  /// A function that gives exact outputs and unbiased estimates of log-dets, from the draws of a roulette.
  typealias Estimate =
    @Sendable (
      _ params: Params, _ inputs: Tensor, _ context: Tensor?, _ roulette: Roulette
    ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor)

  /// The same mapping with an estimate of its log-det.
  func estimated(by estimate: @escaping Estimate) -> Mapping {
    var mapping = self
    mapping.estimate = estimate
    return mapping
  }

  /// Whether a layer has an estimate of its log-det.
  var hasEstimate: Bool { estimate != nil || composition.hasEstimate }

  /// Computes outputs, and log-dets with estimates for the layers that have one and are too large.
  ///
  /// Every such layer has a key of its own, by its number in running order. Layers behind the weights of a
  /// mixture are computed exactly, since the logarithm of an unbiased estimate is biased.
  package func estimates(
    _ params: Params, _ x: Tensor, _ context: Tensor?, by roulette: Roulette
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    var count = 0
    return try estimates(params, x, context, roulette, &count)
  }

  private func estimates(
    _ params: Params, _ x: Tensor, _ context: Tensor?, _ roulette: Roulette, _ count: inout Int
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    func exact() throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
      let (y, logDet) = try memberBody(params, x, context)
      return (y, logDet.repeated(forRows: x.rows))
    }
    if !hasEstimate { return try exact() }
    switch composition {
    case .layer:
      guard let estimate, domain.shape.count > roulette.exactDimension else { return try exact() }
      var own = roulette
      own.key = roulette.key.folded(in: count)
      count += 1
      return try estimate(params, x, context, own)
    case .chain(let members):
      var (x, total) = (x, Tensor.zeros([x.rows], dtype: x.dtype))
      for (mapping, address) in members {
        let (y, logDet) = try mapping.estimates(address(params), x, context, roulette, &count)
        (x, total) = (y, total + logDet)
      }
      return (x, total)
    case .split(let parts):
      // The parts of a mixture all read the same numbers.
      if parts.reduce(0, { $0 + $1.inputs.count }) != domain.shape[-1] { return try exact() }
      var (outputs, total): ([Tensor], Tensor) = ([], .zeros([x.rows], dtype: x.dtype))
      for ((mapping, address), inputs, _) in parts {
        let part = x.sliced(axis: -1, inputs)
        let (y, logDet) = try mapping.estimates(address(params), part, context, roulette, &count)
        outputs.append(y)
        total = total + logDet
      }
      return (joined(outputs, outputOrder(parts)), total)
    case .seeing(let (mapping, address), let change):
      return try mapping.estimates(address(params), x, change(params, context, x.rows), roulette, &count)
    }
  }
}
