import Flows

/// Draws or scores many rows of realnvp-2d in bounded memory: `--workload chunks`.
///
/// A process does one of both, so that its peak resident set can be measured from outside
/// (`/usr/bin/time -v`). Draws are discarded chunk by chunk. Rows to score are drawn chunk by chunk, and
/// their log-densities are kept.
///
///     benchmarks --workload chunks --rows 10000000 --what sample|logPDF [--threads 2] [--json]
struct ChunksWorkload {
  let rows: Int
  let threads: Int
  let isJSON: Bool

  func run(_ what: String) throws {
    let workload = Workload.all[0]
    let (params, logPDF, sample) = try workload.flow(Key(0), inputDim: workload.inputDim)
    try Parallelism.$threads.withValue(threads) {
      if what != Benchmark.Part.logPDF.rawValue {
        var sum = Tensor.zeros([2], dtype: .float64)
        try report(.sample) {
          try sample.inChunks(Key(1), params, count: rows, of: 100_000, progress: .bar) { draws in
            sum = sum + draws.cast(to: .float64).sum(axis: 0)
          }
          return sum / Double(rows)
        }
      }
      if what != Benchmark.Part.sample.rawValue {
        try report(.logPDF) {
          try logPDF.inChunks(params, rows: rows, progress: .bar) { range in
            (Key(2).folded(in: range.lowerBound).normal(workload.inputDim.batched(range.count)), nil)
          }.mean()
        }
      }
    }
  }

  /// Runs `body` once and prints the time, the peak memory of tensors and the mean of the result.
  private func report(_ part: Benchmark.Part, _ body: () throws -> Tensor) throws {
    var peak: (result: Tensor, bytes: Int)?
    let time = try Measurement(repetitions: 1, warmUp: 0) { peak = try TensorMemory.peak { try body() } }
    let (mean, bytes) = (peak!.result.doubles, peak!.bytes)
    print(
      isJSON
        ? "{\"workload\": \"chunks\", \"what\": \"\(part.rawValue)\", \"threads\": \(threads), "
          + "\"rows\": \(rows), "
          + "\"median_ms\": \(time.median), \"peak_bytes\": \(bytes), \"mean\": \(mean)}"
        : "realnvp-2d \(part.rawValue) of \(rows) rows: \(time.median / 1e3) s, "
          + "\(Double(bytes) / 1_048_576) MiB at most, mean \(mean)")
  }
}
