import Flows

/// The median, least and greatest time of repeated runs, in milliseconds.
struct Measurement {
  let median: Double
  let least: Double
  let greatest: Double

  /// Runs `body` for warm-up and then `repetitions` times. A named measurement shows its progress on a
  /// terminal.
  init(_ name: String = "", repetitions: Int, warmUp: Int = 3, _ body: () throws -> Void) rethrows {
    var meter = ProgressMeter(
      name.isEmpty ? .silent : .automatic, total: warmUp + max(1, repetitions), quietFor: .seconds(2))
    defer { meter.clear() }
    for _ in 0..<warmUp {
      try body()
      meter.advance("\(name), warming up")
    }
    let clock = ContinuousClock()
    let times = try (0..<max(1, repetitions)).map { _ in
      let start = clock.now
      try body()
      let time = clock.now - start
      meter.advance("\(name), \(Int(time.seconds * 1e3)) ms")
      return time.seconds * 1e3
    }.sorted()
    (least, greatest) = (times[0], times[times.count - 1])
    median =
      times.count % 2 == 1
      ? times[times.count / 2] : (times[times.count / 2 - 1] + times[times.count / 2]) / 2
  }
}
