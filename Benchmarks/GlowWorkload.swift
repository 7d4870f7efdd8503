import Flows

/// Glow on images of 32x32x3: `--workload glow`. Two levels of eight steps, 128 hidden channels, a batch of 16.
///
/// `peers/glow.py` measures the same architecture in normflows.
struct GlowWorkload {
  private let threads: Int
  private let repetitions: Int

  /// The workload that these arguments ask for; nil if they ask for another.
  init?(arguments: [String]) {
    func value(_ name: String) -> String? {
      arguments.firstIndex(of: name).flatMap { arguments.dropFirst($0 + 1).first }
    }
    guard value("--workload") == "glow" else { return nil }
    threads = value("--threads").flatMap(Int.init) ?? 1
    repetitions = value("--repetitions").flatMap(Int.init) ?? 10
  }

  func run() throws {
    let network = ConvNet(hidden: [128, 128], lastWeight: .normal(standardDeviation: 0.01))
    let flow = Flow.glow(levels: 2, steps: 8, learnsPrior: false, network: network)
    try Parallelism.$threads.withValue(threads) {
      let batch = Key(1).normal([16, 32, 32, 3])
      let (initial, logPDF, sample) = try flow(Key(0), inputDim: [32, 32, 3], initInputs: batch)
      let optimizer = Adam(learningRate: 1e-4)
      var (params, state) = (initial, optimizer.initialize(initial))
      let step = try Measurement(repetitions: repetitions) {
        let (_, gradient) = try valueAndGradient(at: params, over: batch) { params, rows in
          try -logPDF(params, rows)
        }
        (params, state) = try optimizer.update(gradient, state, params)
      }
      let density = try Measurement(repetitions: repetitions) { _ = try logPDF(params, batch) }
      let draws = try Measurement(repetitions: repetitions) { _ = try sample(Key(2), params, count: 16) }
      for (what, time) in [("step", step), ("logPDF", density), ("sample", draws)] {
        print(
          "{\"workload\": \"glow\", \"what\": \"\(what)\", \"threads\": \(threads), \"batch\": 16, "
            + "\"params\": \(params.learnedCount), \"median_ms\": \(time.median), \"min_ms\": \(time.least), "
            + "\"max_ms\": \(time.greatest)}")
      }
    }
  }
}
