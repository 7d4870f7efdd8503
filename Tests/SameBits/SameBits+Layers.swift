import Flows

extension SameBits {
  /// The hash that `evaluated` gives.
  public static let expectedEvaluation: UInt64 = 0x0609_19e6_4ee3_241d

  /// The hash of draws, and of both directions of layers that `trained` does not have: convolutions, HINT,
  /// and layers whose inverses are found numerically.
  public static func evaluated() throws -> UInt64 {
    var hash = Fingerprint()
    for dtype in [DType.float32, .float64] {
      for draw in draws(dtype) { hash.add(draw) }
      for (index, (layer, inputDim)) in layers.enumerated() {
        let key = Key(11).folded(in: index)
        let inputs = key.folded(in: 0).normal(Shape([3] + inputDim.sizes)).cast(to: dtype)
        let (params, forward, inverse) = try layer(key.folded(in: 1), inputDim: inputDim, dtype: dtype)
        let (outputs, logDet) = try forward(params, inputs)
        let (restored, inverseLogDet) = try inverse(params, outputs)
        for result in [outputs, logDet, restored, inverseLogDet] { hash.add(result) }
      }
    }
    return hash.value
  }

  private static func draws(_ dtype: DType) -> [Tensor] {
    [
      Key(5).normal([257], dtype: dtype), Key(6).uniform([257], dtype: dtype),
      Tensor(ints: Key(7).permutation(257)),
    ]
  }

  private static var layers: [(layer: any Bijection, inputDim: Shape)] {
    let net = MLP(hidden: [8], activation: .tanh, lastWeight: .glorotUniform)
    let convolutions = ConvNet(hidden: [3], windows: [3, 3], activation: .tanh, lastWeight: .glorotUniform)
    return [
      (AffineCoupling(convolutions), [4, 4, 2]), (EmergingConvolution(), [4, 4, 2]),
      (PeriodicConvolution(), [4, 4, 2]), (HINT(net, permutation: .full), 8),
      (Coupling(net, MixtureOfLogistics(components: 3)), 4), (Coupling(net, DeepSigmoidal()), 4),
      (Coupling(net, SumOfSquares()), 4),
    ]
  }
}
