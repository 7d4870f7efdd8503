import Files
import Flows

/// Expands a gzip file in memory.
struct GzipWorkload {
  let path: String
  let repetitions: Int
  let isJSON: Bool

  func run() throws {
    let bytes = try FileBytes.read(path)
    let count = try FileBytes.content(of: bytes, source: path).count
    let time = try Measurement("gzip", repetitions: repetitions) {
      _ = try FileBytes.content(of: bytes, source: path)
    }
    let nanoseconds = time.median * 1e6 / Double(max(count, 1))
    print(
      isJSON
        ? "{\"workload\": \"gzip\", \"bytes\": \(count), \"median_ms\": \(time.median), "
          + "\"min_ms\": \(time.least), \"max_ms\": \(time.greatest)}"
        : "gzip: \(count) bytes, \(nanoseconds) ns per byte")
  }
}
