import Flows

/// The median, least and greatest time of repeated runs, in milliseconds.
struct Measurement {
  let median: Double
  let least: Double
  let greatest: Double

  /// Runs `body` for warm-up, and then `repetitions` times, at least once but for `seconds` at most.
  ///
  /// The first runs of a large model meet memory that nobody used before, so the warm-up is never cut short.
  /// A named measurement shows its progress on a terminal.
  init(
    _ name: String = "", repetitions: Int, warmUp: Int = 3, seconds: Double = .infinity,
    _ body: () throws -> Void
  ) rethrows {
    var meter = ProgressMeter(
      name.isEmpty ? .silent : .automatic, total: warmUp + max(1, repetitions), quietFor: .seconds(2))
    defer { meter.clear() }
    let clock = ContinuousClock()
    for _ in 0..<warmUp {
      try body()
      meter.advance("\(name), warming up")
    }
    let warm = clock.now
    var times: [Double] = []
    for i in 0..<max(1, repetitions) where i == 0 || (clock.now - warm).seconds < seconds {
      let start = clock.now
      try body()
      let time = clock.now - start
      meter.advance("\(name), \(Int(time.seconds * 1e3)) ms")
      times.append(time.seconds * 1e3)
    }
    self.init(times)
  }

  /// Takes times in milliseconds, at least one.
  init(_ times: [Double]) {
    let times = times.sorted()
    (least, greatest) = (times[0], times[times.count - 1])
    median =
      times.count % 2 == 1
      ? times[times.count / 2] : (times[times.count / 2 - 1] + times[times.count / 2]) / 2
  }
}
