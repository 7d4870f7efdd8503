import Flows

/// Computations whose results have the same bits everywhere: for any number of threads, on every instruction
/// set, and in debug and release builds.
public enum SameBits {
  /// The computations by name, the hashes that they give here and now, and those expected.
  public static func all() throws -> [(name: String, found: UInt64, expected: UInt64)] {
    [
      ("training", try trained(), expectedTraining),
      ("layers and draws", try evaluated(), expectedEvaluation),
      ("fits", try fitted(), expectedFits),
      ("residual and integrated layers", try integrated(), expectedIntegration),
      ("continuous flows", try continuous(), expectedContinuous),
    ]
  }

  /// The hash that `trained` gives. It changes with the layers' arithmetic and initial values only.
  public static let expectedTraining: UInt64 = 0x910a_fbeb_4ab3_c96d

  /// The hash of a small flow's parameters after 50 steps; three shards, so that threads have something to
  /// disagree on.
  public static func trained() throws -> UInt64 {
    let data = tanh(matmul(Key(0).normal([300, 5]), Key(1).normal([5, 5]))) + 0.1 * Key(2).normal([300, 5])
    let (initial, logPDF, _) = try flow(Key(3), inputDim: 5, initInputs: data)
    let optimizer = Chain(ClipByGlobalNorm(1), Adam(learningRate: 1e-2))
    var (params, state) = (initial, optimizer.initialize(initial))
    for _ in 0..<50 {
      let (_, gradient) = try valueAndGradient(at: params, over: data) { params, rows in
        try -logPDF(params, rows)
      }
      (params, state) = try optimizer.update(gradient, state, params)
    }
    var hash = Fingerprint()
    params.forEach { _, leaf, _ in hash.add(leaf) }
    return hash.value
  }

  private static var flow: Flow {
    Flow(
      Serial(
        ActNorm(), InvertibleLinear(), AffineCoupling(MLP(hidden: [16, 16])), Reverse(),
        Coupling(MLP(hidden: [16], activation: .tanh), RationalQuadraticSpline(bins: 4, bound: 3)),
        Autoregressive(MADE(hidden: [16]))))
  }
}
