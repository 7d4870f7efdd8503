import Flows

/// A workload with its initial parameters and its batch.
struct Benchmark {
  enum Part: String, CaseIterable { case step, rowStep, privateStep, logPDF, sample }

  let workload: Workload
  let rows: Int
  private let params: Params
  private let logPDF: LogPDF
  private let sample: Sampler
  private let batch: Tensor

  private let noise = NoiseSource.secret()

  /// The error of log-densities in nats, where a solver was chosen by it.
  private let error: Double?

  init(_ workload: Workload, rows: Int) throws {
    var workload = workload
    let choice = try workload.ladder?.choice(workload.inputDim, rows: rows)
    workload.flow = choice?.flow ?? workload.flow
    batch = choice?.rows ?? Key(1).normal(workload.inputDim.batched(rows))
    (self.workload, self.rows, error) = (workload, rows, choice?.error)
    let (initial, logPDF, sample) = try workload.flow(
      Key(0), inputDim: workload.inputDim, initInputs: batch[0..<min(rows, 1024)])
    (params, self.logPDF, self.sample) = (choice?.params ?? initial, logPDF, sample)
  }

  /// One run of a part. A step goes on from the parameters of the step before.
  func run(of part: Part) -> () throws -> Void {
    let optimizer = Adam(learningRate: 1e-4)
    var (params, state) = (params, optimizer.initialize(params))
    return {
      switch part {
      case .step:
        let gradient = try gradient(at: params)
        (params, state) = try optimizer.update(gradient, state, params)
      case .rowStep:
        // Clipped by row, without noise.
        let sums = try weightedRowGradients(at: params, over: batch, factors: { 1 / maximum($0, 1) }) {
          -(try logPDF.body($0, $1, $2))
        }.sums
        (params, state) = try optimizer.update(params.learned.replacingLearned(with: sums), state, params)
      case .privateStep:
        let gradient = try privateGradient(at: params)
        (params, state) = try optimizer.update(gradient, state, params)
      case .logPDF: _ = try logPDF(params, batch)
      case .sample: _ = try sample(Key(2), params, count: rows)
      }
    }
  }

  func measured(_ part: Part, repetitions: Int, seconds: Double = .infinity) throws -> BenchmarkResult {
    let run = run(of: part)
    let time = try Measurement(
      "\(workload.name) \(part.rawValue)", repetitions: repetitions, warmUp: min(3, repetitions),
      seconds: seconds
    ) { try run() }
    let bytes = try TensorMemory.peak { try run() }.bytes
    let made = try TensorMemory.made { try run() }
    let shard = batch[0..<min(Parallelism.shardRows(of: workload.inputDim), rows)]
    let operations =
      part == .step ? try recordedOperations(at: params) { try -logPDF($0, shard).mean() } : nil
    return BenchmarkResult(
      workload: workload.name, part: part, rows: rows, params: params.learnedCount, time: time, bytes: bytes,
      made: made, operations: operations, floatingPointOperations: floatingPointOperations(part),
      error: error)
  }

  /// Clipped by row, with noise.
  private func privateGradient(at params: Params) throws -> Params {
    let plan = try PrivacyPlan(noiseMultiplier: 1, delta: 1e-5, rate: 0.01, batch: Double(rows), steps: 1_000)
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: batch, key: Key(3))
    return try PrivateLikelihood(plan, noise: noise).valueAndGradient(at: params, step).gradient
  }

  private func gradient(at params: Params) throws -> Params {
    guard let objective = workload.objective else {
      return try valueAndGradient(at: params, over: batch) { params, rows in try -logPDF(params, rows) }
        .gradient
    }
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: batch, key: Key(3))
    return try objective.valueAndGradient(at: params, step).gradient
  }

  /// The floating-point operations of the matrix products: two per weight and row, and three times as many
  /// for a step.
  ///
  /// Masked weights do not count. A product of factors counts as its matrix.
  private func floatingPointOperations(_ part: Part) -> Double? {
    guard let share = workload.shareOfWeights else { return nil }
    var weights = 0
    params.forEach { _, leaf, isFrozen in if leaf.rank == 2 && !isFrozen { weights += leaf.count } }
    return 2 * share * Double(weights) * Double(rows)
      * ([.step, .rowStep, .privateStep].contains(part) ? 3 : 1)
  }
}
