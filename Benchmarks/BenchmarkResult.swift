import Flows
import Foundation

/// What was measured of one thing.
struct BenchmarkResult {
  let workload: String
  let part: Benchmark.Part
  let rows: Int
  let params: Int
  let time: Measurement
  /// The most that tensors took at once.
  let bytes: Int
  /// Operations recorded a shard.
  let operations: Int?
  /// Those of the products.
  let floatingPointOperations: Double

  private var gigaflops: Double { floatingPointOperations / time.median / 1e6 }

  /// One line for people; `peak` is what products reach on so many threads.
  func text(peak: Double) -> String {
    let recorded = operations.map { ", \($0) operations recorded a shard" } ?? ""
    return String(
      format: "%@ %@: %.3f ms (%.3f to %.3f), %.0f GFLOP/s (%.0f%% of %.0f), %.1f MiB at most%@",
      workload.padding(toLength: 18, withPad: " ", startingAt: 0),
      part.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0), time.median, time.least, time.greatest,
      gigaflops, 100 * gigaflops / peak, peak, Double(bytes) / 1_048_576, recorded)
  }

  /// One object for programs.
  func json(threads: Int) -> String {
    let recorded = operations.map { ", \"operations\": \($0)" } ?? ""
    return "{\"workload\": \"\(workload)\", \"what\": \"\(part.rawValue)\", \"threads\": \(threads), "
      + "\"batch\": \(rows), \"params\": \(params), \"median_ms\": \(time.median), \"min_ms\": \(time.least), "
      + "\"max_ms\": \(time.greatest), \"gflops\": \(gigaflops), \"peak_bytes\": \(bytes)\(recorded)}"
  }
}
