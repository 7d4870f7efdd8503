import Flows

extension SameBits {
  /// The hash that `continuous` gives.
  public static let expectedContinuous: UInt64 = 0xfb4ca6a30c7332ef

  /// The hash of continuous flows: an OT-Flow after three steps of training, losses and gradients of adaptive
  /// solves and of flow matching, and both directions of exactly inverted steps.
  public static func continuous() throws -> UInt64 {
    var hash = Fingerprint()
    for dtype in [DType.float32, .float64] {
      let rows = Key(31).normal([300, 2]).cast(to: dtype)
      try addTraining(to: &hash, rows)
      let network = Flow(
        ContinuousFlow(
          ConcatSquash(hidden: [4]), solver: .tolerance(relative: 1e-2, absolute: 1e-2), logDet: .trace))
      try add(.rnode(), of: network, at: rows, to: &hash)
      try add(FlowMatching(.optimalTransport), of: .cnf(hidden: [4]), at: rows[0..<40], to: &hash)

      let exact = ContinuousFlow(
        NetworkField(MLP(hidden: [4], activation: .tanh, lastWeight: .glorotUniform)), solver: .steps(2),
        logDet: .discrete, exactInverse: true)
      let (params, forward, inverse) = try exact(Key(32), inputDim: 2, dtype: dtype)
      let (y, logDet) = try forward(params, rows[0..<30])
      let (x, inverseLogDet) = try inverse(params, y)
      for result in [y, logDet, x, inverseLogDet] { hash.add(result) }
    }
    return hash.value
  }

  /// Three shards per step, and the densities of a finer solver at the end.
  private static func addTraining(to hash: inout Fingerprint, _ rows: Tensor) throws {
    let settings = OTFlowSettings.miniboone
    let flow = Flow.otFlow(width: 6, steps: 2)
    let (initial, logPDF, sample) = try flow(Key(33), inputDim: 2, dtype: rows.dtype)
    let optimizer = settings.optimizer(trainingRows: 300)
    var (params, state) = (initial, optimizer.initialize(initial))
    for index in 0..<3 {
      let step = TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(34), index: index)
      let (_, gradient) = try settings.objective.valueAndGradient(at: params, step)
      (params, state) = try optimizer.update(gradient, state, params)
    }
    params.forEach { _, leaf, _ in hash.add(leaf) }
    let finer = try Flow.otFlow(width: 6, steps: 3)(Key(0), inputDim: 2, dtype: rows.dtype).logPDF
    hash.add(try finer(params, rows))
  }

  private static func add(
    _ objective: some Objective, of flow: Flow, at rows: Tensor, to hash: inout Fingerprint
  ) throws {
    let (params, logPDF, sample) = try flow(Key(35), inputDim: 2, dtype: rows.dtype)
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(36))
    let (loss, gradient) = try objective.valueAndGradient(at: params, step)
    hash.add(loss)
    gradient.forEach { _, leaf, _ in hash.add(leaf) }
  }
}
