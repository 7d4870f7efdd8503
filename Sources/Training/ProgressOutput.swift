#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A way to report the progress of a long computation on standard error.
public enum ProgressOutput: Sendable {
  /// A bar on a terminal, nothing elsewhere.
  case automatic
  /// A bar that redraws its line.
  case bar
  /// A line now and then.
  case lines
  /// Nothing.
  case silent

  /// Writes a remark on a line of its own, unless nothing is to be written.
  func note(_ line: String) { if case .silent = self {} else { show(line + "\n") } }
}

/// Draws progress, rate and remaining time. No result depends on the times.
package struct ProgressMeter {
  private let style: ProgressOutput
  private let total, first: Int
  private let quiet: Duration
  private let start = ContinuousClock.now
  private var done: Int
  private var latest: Duration?

  /// A meter of so many steps.
  ///
  /// - Parameters:
  ///   - style: the way to report.
  ///   - total: all steps, those of an earlier run too.
  ///   - first: the steps of an earlier run. They count as done, but not in the rate and the time left.
  ///   - quiet: nothing is shown before this time, for computations that are mostly short.
  package init(_ style: ProgressOutput, total: Int, from first: Int = 0, quietFor quiet: Duration = .zero) {
    self.style = style == .automatic ? (isatty(2) == 1 ? .bar : .silent) : style
    self.total = max(total, 1)
    (self.first, self.quiet, done) = (first, quiet, first)
  }

  /// Shows that one step more is done, if it is time to.
  package mutating func advance(_ text: @autoclosure () -> String) {
    done += 1
    report(done, text())
  }

  /// Shows that `done` of the total are done, if it is time to.
  package mutating func report(_ done: Int, _ text: @autoclosure () -> String) {
    if let output = output(done, after: ContinuousClock.now - start, text()) { show(output) }
  }

  /// The text to write `elapsed` after the start, or nil while it is too early for another line.
  mutating func output(_ done: Int, after elapsed: Duration, _ text: @autoclosure () -> String) -> String? {
    if style == .silent || elapsed < quiet { return nil }
    let pause: Duration = style == .bar ? .milliseconds(100) : .seconds(2)
    if let latest, elapsed - latest < pause, done < total { return nil }
    latest = elapsed
    let (own, seconds) = (Double(max(done - first, 1)), elapsed.seconds)
    let left = seconds / own * Double(total - done)
    let share = Double(done) / Double(total)
    let line =
      "\(Int(share * 100))% \(text()), \(Self.rate(own, seconds))\(Self.clock(seconds)) gone, "
      + "\(Self.clock(left)) left"
    guard style == .bar else { return line + "\n" }
    let filled = Int(share * 24)
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
    return "\r\u{1B}[2K\(bar) \(line)"
  }

  /// Ends the bar's line, if there is one.
  package func finish() { if style == .bar && latest != nil { show("\n") } }

  /// Takes the bar away again, so that a result may stand on its line.
  package func clear() { if style == .bar && latest != nil { show("\r\u{1B}[2K") } }

  /// Steps per second, or seconds per step where that is above 1; nothing while no time has passed.
  private static func rate(_ steps: Double, _ seconds: Double) -> String {
    guard seconds > 0 else { return "" }
    let (rate, isSlow) = (max(steps / seconds, seconds / steps), seconds > steps)
    let number =
      rate < 9.95 ? "\((rate * 10).rounded() / 10)" : rate < 1e15 ? "\(Int(rate.rounded()))" : "many"
    return isSlow ? "\(number)s each, " : "\(number)/s, "
  }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return whole < 60 ? "\(whole)s" : "\(whole / 60)m\(whole % 60)s"
  }
}

private func show(_ text: String) {
  _ = text.utf8CString.withUnsafeBytes { write(2, $0.baseAddress, $0.count - 1) }
}

extension Duration {
  /// The duration in seconds.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
