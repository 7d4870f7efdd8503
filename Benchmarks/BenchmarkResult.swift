#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The time and memory of one part of a workload.
struct BenchmarkResult {
  let workload: String
  let part: Benchmark.Part
  let rows: Int
  let params: Int
  let time: Measurement
  /// The peak memory of tensors in bytes.
  let bytes: Int
  /// The bytes of the results of all operations, if known. Most of them stay in a cache.
  let made: Int?
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

  private var gigabytes: Double? { made.map { Double($0) / time.median / 1e6 } }

  /// The result as a line of text. `peak` has the speeds of the machine on the same number of threads.
  func text(peak: MachineSpeed) -> String {
    func share(_ speed: Double, _ unit: String, of peak: Double) -> String {
      "\(fixed(speed, 0)) \(unit) (\(fixed(100 * speed / peak, 0))% of \(fixed(peak, 0))), "
    }
    let recorded = operations.map { ", \($0) operations recorded per shard" } ?? ""
    let accuracy = error.map { ", error \(fixed(1e6 * $0, 1)) · 10⁻⁶ nats" } ?? ""
    let speed =
      (gigaflops.map { share($0, "GFLOP/s", of: peak.gigaflops) } ?? "")
      + (gigabytes.map { share($0, "GB/s", of: peak.gigabytes) } ?? "")
    return padded(workload, 18) + " " + padded(part.rawValue, 6)
      + ": \(fixed(time.median, 3)) ms (\(fixed(time.least, 3)) to \(fixed(time.greatest, 3))), \(speed)"
      + "\(fixed(Double(bytes) / 1_048_576, 1)) MiB at most\(recorded)\(accuracy)"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// A number with some digits after the point.
  private func fixed(_ number: Double, _ digits: Int) -> String {
    let one = (0..<digits).reduce(1) { one, _ in 10 * one }
    let units = Int((number * Double(one)).rounded())
    let fraction = String(units % one + one).dropFirst()
    return digits == 0 ? "\(units)" : "\(units / one).\(fraction)"
  }

  /// The result as a JSON object.
  func json(threads: Int) -> String {
    let recorded =
      (operations.map { ", \"operations\": \($0)" } ?? "") + (gigaflops.map { ", \"gflops\": \($0)" } ?? "")
      + (error.map { ", \"error\": \($0)" } ?? "")
      + (made.map { ", \"made_bytes\": \($0)" } ?? "")
    return "{\"workload\": \"\(workload)\", \"what\": \"\(part.rawValue)\", \"threads\": \(threads), "
      + "\"batch\": \(rows), \"params\": \(params), \"median_ms\": \(time.median), \"min_ms\": "
      + "\(time.least), "
      + "\"max_ms\": \(time.greatest), \"peak_bytes\": \(bytes), "
      + "\"peak_rss_mib\": \(Double(Self.peakResidentBytes) / 1_048_576)\(recorded)}"
  }
}
