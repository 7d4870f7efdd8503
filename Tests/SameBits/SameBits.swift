import CKernels
import Flows

/// A small training run whose parameters have the same bits everywhere: for any number of threads, on every
/// instruction set, and in debug and release builds.
public enum SameBits {
  /// What the parameters come to. It changes with the layers' arithmetic and initial values, and with nothing
  /// else.
  public static let expected: UInt64 = 0xc755_f996_3949_800e

  /// The kernels that this process runs.
  public static var instructionSet: String { String(cString: ck_instruction_set()) }

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
    return fingerprint(of: params)
  }

  private static var flow: Flow {
    Flow(
      Serial(
        ActNorm(), InvertibleLinear(), AffineCoupling(MLP(hidden: [16, 16])), Reverse(),
        Coupling(MLP(hidden: [16], activation: .tanh), RationalQuadraticSpline(bins: 4, bound: 3)),
        Autoregressive(MADE(hidden: [16]))))
  }

  /// FNV-1a over the leaves' bytes, first leaf to last.
  private static func fingerprint(of params: Params) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    params.forEach { _, leaf, _ in
      leaf.withBytes { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 } }
    }
    return hash
  }
}
