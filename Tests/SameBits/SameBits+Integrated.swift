import Flows

extension SameBits {
  /// The hash that `integrated` gives.
  public static let expectedIntegration: UInt64 = 0x871d_686d_ae38_4a85

  /// The hash of both directions and the gradients of layers that search for a fixed point or integrate, and
  /// of a roulette's loss.
  public static func integrated() throws -> UInt64 {
    var hash = Fingerprint()
    let net = MLP(hidden: [8], activation: .tanh, lastWeight: .glorotUniform)
    let residual = ResidualFlow(SpectralMLP(hidden: [8, 5], lastWeight: .glorotUniform))
    let layers: [any Bijection] = [
      residual, Coupling(net, AUTM(units: 3)), Coupling(net, UMNN(units: 3, nodes: 20)),
    ]
    for dtype in [DType.float32, .float64] {
      for (index, layer) in layers.enumerated() {
        let key = Key(21).folded(in: index)
        let inputs = key.folded(in: 0).normal([130, 3]).cast(to: dtype)
        let (params, forward, inverse) = try layer(key.folded(in: 1), inputDim: 3, dtype: dtype)
        let (outputs, logDet) = try forward(params, inputs)
        let (restored, inverseLogDet) = try inverse(params, outputs)
        for result in [outputs, logDet, restored, inverseLogDet] { hash.add(result) }
        let (loss, gradient) = try valueAndGradient(at: params, over: inputs) { params, rows in
          let (y, logDet) = try forward(params, rows)
          return y.sumPerRow() + logDet
        }
        hash.add(loss)
        gradient.forEach { _, leaf, _ in hash.add(leaf) }
      }
      let (params, logPDF, sample) = try Flow(residual)(Key(22), inputDim: 3, dtype: dtype)
      let rows = Key(23).normal([130, 3]).cast(to: dtype)
      let step = TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(24))
      let (loss, gradient) = try RouletteLikelihood(exactDimension: 0).valueAndGradient(at: params, step)
      hash.add(loss)
      gradient.forEach { _, leaf, _ in hash.add(leaf) }
    }
    return hash.value
  }
}
