import Flows

/// Measures a workload on a device of a plugin: `--device PATH`.
///
/// A step is one of `fit`, with batches and draws made on the host. The loss is read once per epoch of some
/// steps, and so are the parameters, as in every fit. Log-densities and draws take rows from memory and
/// return rows to memory.
///
///     benchmarks --workload nsf-8d --device pjrt_plugin.so [--seconds 5] [--json]
struct DeviceBenchmark {
  /// The workloads of `--workload all`.
  static let names = ["realnvp-63d", "maf-43d", "nsf-8d", "glow", "ot-flow-43d"]
  private static let stepsPerEpoch = 16

  let workload: Workload
  let device: Device
  /// The most seconds of the repetitions of one part.
  let seconds: Double
  let isJSON: Bool

  func run(_ what: String) throws {
    let parts = Benchmark.Part.allCases.filter { what == $0.rawValue || what == "all" }
    let (params, logPDF, sample) = try workload.flow(
      Key(0), inputDim: workload.inputDim, initInputs: rows(min(workload.batch, 1024)))
    for part in parts {
      switch part {
      case .step: try measureStep()
      case .logPDF:
        let (density, compile) = try timed {
          try DeviceLogPDF(logPDF, params, on: device, rows: workload.batch)
        }
        let x = rows(workload.batch)
        let (theirs, ours) = (try density(x), try logPDF(params, x))
        try report(part, compile, difference(theirs, ours), repeated { _ = try density(x) })
      case .sample:
        do {
          let (sampler, compile) = try timed {
            try DeviceSampler(sample, params, on: device, rows: workload.batch)
          }
          let theirs = try sampler(Key(2), count: workload.batch)
          let ours = try sample(Key(2), params, count: workload.batch)
          try report(
            part, compile, difference(theirs, ours),
            repeated { _ = try sampler(Key(2), count: workload.batch) })
        } catch let error as FlowError { print("\(workload.name) sample: \(error)") }
      case .rowStep, .privateStep: break
      }
    }
  }

  private func rows(_ count: Int) -> Tensor { Key(1).normal(workload.inputDim.batched(count)) }

  private func measureStep() throws {
    let clock = ContinuousClock()
    let start = clock.now
    var ends: [ContinuousClock.Instant] = []
    _ = try fitted(steps: Self.stepsPerEpoch, epochs: 1_000, on: .pjrt(device)) {
      ends.append(clock.now)
      return ends.count > 3 && (clock.now - ends[0]).seconds > seconds
    }
    let times = zip(ends, ends.dropFirst()).map { ($1 - $0).seconds * 1e3 / Double(Self.stepsPerEpoch) }
    let compile = (ends[0] - start).seconds - times.sorted()[times.count / 2] * 16 / 1e3
    // The losses of a few steps, on both engines.
    func losses(_ engine: Engine) throws -> Tensor {
      Tensor(
        try fitted(steps: 1, epochs: 3, on: engine) { false }.history.map(\.trainingLoss), dtype: .float64)
    }
    try report(.step, compile, difference(losses(.pjrt(device)), losses(.cpu)), times.sorted())
  }

  /// A fit of some steps per epoch. The callback says whether it ends.
  private func fitted(
    steps: Int, epochs: Int, on engine: Engine, _ ends: () -> Bool
  ) throws -> Fitted {
    func run(_ objective: some Objective) throws -> Fitted {
      try fit(
        workload.flow, to: rows(steps * workload.batch), by: objective, key: Key(0), epochs: epochs,
        batchSize: workload.batch, optimizer: Adam(learningRate: 1e-4), validationFraction: 0, on: engine,
        progress: .silent
      ) { _ in ends() ? .stop : .proceed }
    }
    let objective: any Objective = workload.objective ?? MaximumLikelihood()
    return try run(objective)
  }

  private func timed<Value>(_ body: () throws -> Value) rethrows -> (Value, Double) {
    let start = ContinuousClock.now
    let value = try body()
    return (value, (ContinuousClock.now - start).seconds)
  }

  private func repeated(_ body: () throws -> Void) rethrows -> [Double] {
    try body()
    var times: [Double] = []
    while times.count < 3 || times.count < 50 && times.reduce(0, +) < seconds * 1e3 {
      times.append(try timed(body).1 * 1e3)
    }
    return times.sorted()
  }

  /// The largest difference, relative to the largest number. It is infinite if a number is not finite.
  private func difference(_ a: Tensor, _ b: Tensor) -> Double {
    guard a.isFinite, b.isFinite else { return .infinity }
    let scale = max(1, abs(b).doubles.max() ?? 1)
    return (abs(a - b).doubles.max() ?? 0) / scale
  }

  private func report(
    _ part: Benchmark.Part, _ compile: Double, _ difference: Double, _ times: [Double]
  ) throws {
    let median = times[times.count / 2]
    if isJSON {
      print(
        "{\"library\": \"swift-flows\", \"engine\": \"\(device.plugin.platform)\", "
          + "\"device\": \"\(device.kind)\", \"workload\": \"\(workload.name)\", "
          + "\"what\": \"\(part.rawValue)\", "
          + "\"batch\": \(workload.batch), \"median_ms\": \(median), \"min_ms\": \(times[0]), "
          + "\"max_ms\": \(times[times.count - 1]), \"compile_s\": \(compile), "
          + "\"difference\": \(difference.isFinite ? "\(difference)" : "Infinity")}"
      )
    } else {
      func rounded(_ x: Double) -> Double { (x * 1000).rounded() / 1000 }
      print(
        "\(workload.name) \(part.rawValue) on \(device.kind): \(rounded(median)) ms (\(rounded(times[0])) to "
          + "\(rounded(times[times.count - 1]))), compiled in \(rounded(compile)) s, largest difference "
          + "\(difference)")
    }
  }
}
