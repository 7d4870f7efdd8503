/// Times of one thing, in milliseconds.
struct Measurement {
  let median: Double
  let least: Double
  let greatest: Double

  /// Warms up, then repeats at least `repetitions` times.
  init(repetitions: Int, warmUp: Int = 3, _ body: () throws -> Void) rethrows {
    for _ in 0..<warmUp { try body() }
    let clock = ContinuousClock()
    let times = try (0..<max(1, repetitions)).map { _ in
      let start = clock.now
      try body()
      let (seconds, attoseconds) = (clock.now - start).components
      return Double(seconds) * 1e3 + Double(attoseconds) * 1e-15
    }.sorted()
    (least, greatest) = (times[0], times[times.count - 1])
    median =
      times.count % 2 == 1
      ? times[times.count / 2] : (times[times.count / 2 - 1] + times[times.count / 2]) / 2
  }
}
