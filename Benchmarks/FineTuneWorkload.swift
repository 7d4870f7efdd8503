import Flows
import Synchronization

/// A step of `fineTune`: the slopes of a histogram's loss by the weights of simulated histories.
///
/// A history has 5 to 14 emissions, whose number is its observable. The flow is that of the example
/// `hadronization`: splines of a share in 0...1, given a number. The data are a histogram that leans to long
/// histories. `peers/jax_fine_tune.py` has the same numbers in JAX.
///
///     benchmarks --workload fine-tune [--rows HISTORIES] [--threads 2] [--json]
struct FineTuneWorkload {
  let histories: Int
  let threads, repetitions: Int
  let isJSON: Bool

  func run() throws {
    let flow = Flow(
      Serial(
        Logit(), Standardize(mean: Tensor([-0.8]), deviation: Tensor([1.4])),
        Coupling(MLP(hidden: [24, 24], activation: .tanh), RationalQuadraticSpline(bins: 8, bound: 5))))
    let segments = (0..<histories).flatMap { [Int](repeating: $0, count: length(of: $0)) }
    let rows = 0.02 + 0.96 * Key(0).uniform([segments.count, 1])
    let context = Key(1).normal([segments.count, 1])
    let simulated = try Histories(
      rows, context: context, segments: segments,
      observables: Tensor((0..<histories).map { Double(length(of: $0)) }, shape: [histories]))
    let data = ObservedData.histogram(
      counts: (0..<10).map { 100 + 5 * Double($0) }, bins: Bins(whole: 5...14), by: .crossEntropy)
    let params = try flow(Key(2), inputDim: 1, contextDim: 1).params

    let clock = ClockedAdam()
    let tuned = try Parallelism.$threads.withValue(threads) {
      try TensorMemory.peak {
        try fineTune(
          flow, params, histories: simulated, to: [data], rounds: 1, steps: repetitions + 4, optimizer: clock,
          effectiveShare: 0, progress: .silent)
      }
    }
    require(
      tuned.result.report.after[0].loss.isFinite && clock.times.count == repetitions + 3,
      "FineTuneWorkload: \(repetitions + 4) steps and a finite loss, got \(clock.times.count + 1) steps")
    let result = BenchmarkResult(
      workload: "fine-tune", part: .step, rows: segments.count, params: params.learnedCount,
      time: Measurement(Array(clock.times.dropFirst(3))), bytes: tuned.bytes, made: nil, operations: nil,
      floatingPointOperations: nil, error: nil)
    print(isJSON ? result.json(threads: threads) : result.text(peak: MachineSpeed(threads: threads)))
  }

  private func length(of history: Int) -> Int { 5 + 7 * history % 10 }
}

/// Adam that takes the time from each step to the next one.
private final class ClockedAdam: Optimizer {
  private let adam = Adam(learningRate: 1e-4)
  private let instants = Mutex<[ContinuousClock.Instant]>([])

  /// The times between steps in milliseconds.
  var times: [Double] {
    let all = instants.withLock { $0 }
    return zip(all, all.dropFirst()).map { ($1 - $0) / .milliseconds(1) }
  }

  func initialize(_ params: Params) -> Params { adam.initialize(params) }

  func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    instants.withLock { $0.append(ContinuousClock().now) }
    return try adam.transform(gradient, state, params)
  }
}
