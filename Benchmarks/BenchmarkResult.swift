import Foundation

/// The time and memory of one part of a workload.
struct BenchmarkResult {
  let workload: String
  let part: Benchmark.Part
  let rows: Int
  let params: Int
  let time: Measurement
  /// The peak memory of tensors in bytes.
  let bytes: Int
  /// The number of operations recorded per shard.
  let operations: Int?
  /// The floating-point operations of the matrix products, if known.
  let floatingPointOperations: Double?
  /// The error of log-densities in nats, where a solver was chosen by it.
  let error: Double?

  /// The peak resident memory of this process so far.
  private static var peakResidentBytes: Int {
    var usage = rusage()
    #if canImport(Darwin)
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #else
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss * 1024
    #endif
  }

  private var gigaflops: Double? { floatingPointOperations.map { $0 / time.median / 1e6 } }

  /// The result as a line of text. `peak` is the speed of matrix products on the same number of threads.
  func text(peak: Double) -> String {
    let recorded = operations.map { ", \($0) operations recorded per shard" } ?? ""
    let accuracy = error.map { String(format: ", error %.1e nats", $0) } ?? ""
    let speed =
      gigaflops.map { String(format: "%.0f GFLOP/s (%.0f%% of %.0f), ", $0, 100 * $0 / peak, peak) } ?? ""
    return String(
      format: "%@ %@: %.3f ms (%.3f to %.3f), %@%.1f MiB at most%@%@",
      workload.padding(toLength: 18, withPad: " ", startingAt: 0),
      part.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0), time.median, time.least, time.greatest,
      speed, Double(bytes) / 1_048_576, recorded, accuracy)
  }

  /// The result as a JSON object.
  func json(threads: Int) -> String {
    let recorded =
      (operations.map { ", \"operations\": \($0)" } ?? "") + (gigaflops.map { ", \"gflops\": \($0)" } ?? "")
      + (error.map { ", \"error\": \($0)" } ?? "")
    return "{\"workload\": \"\(workload)\", \"what\": \"\(part.rawValue)\", \"threads\": \(threads), "
      + "\"batch\": \(rows), \"params\": \(params), \"median_ms\": \(time.median), \"min_ms\": "
      + "\(time.least), "
      + "\"max_ms\": \(time.greatest), \"peak_bytes\": \(bytes), "
      + "\"peak_rss_mib\": \(Double(Self.peakResidentBytes) / 1_048_576)\(recorded)}"
  }
}
