import Flows
import Synchronization

/// The warnings of a run, each once, in their order.
final class Notices: Sendable {
  private let lines = Mutex<[String]>([])
  private let show: @Sendable (String) -> Void

  /// Collects warnings, and gives each to `show` at once.
  init(show: @escaping @Sendable (String) -> Void = { _ in }) { self.show = show }

  /// The warnings so far.
  var all: [String] { lines.withLock { $0 } }

  /// Adds a warning of one line.
  func warn(_ line: String) {
    let line = onOneLine(line)
    let isNew = lines.withLock { lines in
      if lines.contains(line) { return false }
      lines.append(line)
      return true
    }
    if isNew { show(line) }
  }
}
