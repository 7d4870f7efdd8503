import Flows

extension SameBits {
  /// The hash that `fitted` gives.
  public static let expectedFits: UInt64 = 0x5c07_3951_8804_7249

  /// The hash of the parameters and losses of two fits: of a mixture of flows to data, as an ensemble of one,
  /// and of a flow to an unnormalized density.
  public static func fitted() throws -> UInt64 {
    var hash = Fingerprint()
    for result in [try mixture(), try posterior()] {
      result.params.forEach { _, leaf, _ in hash.add(leaf) }
      hash.add(Tensor(result.history.map(\.trainingLoss), dtype: .float64))
    }
    return hash.value
  }

  private static func mixture() throws -> Fitted {
    let sides = select(where: Key(20).uniform([300, 1]) .> 0.4, 2, Tensor(-2))
    let data = sides + tanh(Key(21).normal([300, 2]))
    let member = Flow(Serial(ActNorm(), AffineCoupling(MLP(hidden: [8])), InvertibleLinear()))
    return try fit(
      Mixture([member, member, Normal(.learned)]), to: data, keys: [Key(22)], epochs: 3, batchSize: 150,
      optimizer: Chain(ClipByGlobalNorm(10), Adam(learningRate: 1e-3)), progress: .silent)[0]
  }

  private static func posterior() throws -> Fitted {
    let target = Target("curved", inputDim: 3) { x in
      let bent = x - 0.3 * square(Key(23).normal([3]).cast(to: x.dtype) + x)
      return -0.5 * square(bent).sumPerRow() - softplus(x).sumPerRow()
    }
    let flow = Flow(
      Inverted(Serial(Planar(), Radial(), Sylvester(units: 2), AffineCoupling(MLP(hidden: [8])))))
    return try fit(
      flow, to: target, by: .reverseKL(draws: 300), key: Key(24), iterations: 4,
      optimizer: Adam(learningRate: 0.02),
      progress: .silent)
  }
}
