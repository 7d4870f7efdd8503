#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How a long computation reports, on standard error.
public enum Progress: Sendable {
  /// A bar on a terminal, nothing elsewhere.
  case automatic
  /// A bar that redraws its line.
  case bar
  /// A line now and then.
  case lines
  /// Nothing.
  case silent

  /// What is shown: a terminal decides for `.automatic`.
  var resolved: Progress {
    if case .automatic = self { return isatty(2) == 1 ? .bar : .silent }
    return self
  }
}

/// Draws progress and remaining time. Times are shown and never used.
struct ProgressMeter {
  private let style: Progress
  private let total: Int
  private let start = ContinuousClock.now
  private var latest: ContinuousClock.Instant?

  init(_ style: Progress, total: Int) {
    self.style = style.resolved
    self.total = max(total, 1)
  }

  /// Shows that `done` of the total are done, if it is time to.
  mutating func report(_ done: Int, _ text: @autoclosure () -> String) {
    let pause: Duration
    switch style {
    case .bar: pause = .milliseconds(100)
    case .lines: pause = .seconds(2)
    case .silent, .automatic: return
    }
    let now = ContinuousClock.now
    if let latest, now - latest < pause, done < total { return }
    latest = now
    let elapsed = (now - start).seconds
    let left = elapsed / Double(max(done, 1)) * Double(total - done)
    let share = Double(done) / Double(total)
    let line = "\(Int(share * 100))% \(text()), \(ProgressMeter.clock(elapsed)) gone, \(ProgressMeter.clock(left)) left"
    if case .bar = style {
      let filled = Int(share * 24)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
      show("\r\u{1B}[2K\(bar) \(line)")
    } else {
      show(line + "\n")
    }
  }

  /// Ends the bar's line.
  func finish() {
    if case .bar = style { show("\n") }
  }

  private func show(_ text: String) {
    _ = text.utf8CString.withUnsafeBytes { write(2, $0.baseAddress, $0.count - 1) }
  }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return whole < 60 ? "\(whole)s" : "\(whole / 60)m\(whole % 60)s"
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
