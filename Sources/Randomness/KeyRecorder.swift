import Tensors

/// Reports keys that are consumed twice. It serves tests.
///
/// While a recorder is current in a task, it notes each draw and each derivation of children once, whatever
/// the number of elements. Without a recorder, a draw costs one look at a task-local value.
///
/// A key is misused in three cases:
///
/// - it is drawn from twice, where separate chunks of the same draw count as one;
/// - it is both drawn from and given children, since child i and element i of a draw are the same hash;
/// - it is both split and folded, since `split(n)[i] == folded(in: i)`.
///
/// To fold the same index twice is no misuse, but to draw twice from that child is.
///
/// Threads of Dispatch do not inherit task-local values. Code that runs closures there passes the recorder on
/// with `KeyRecorder.$current.withValue(_:operation:)`.
package final class KeyRecorder: Sendable {
  @TaskLocal package static var current: KeyRecorder?

  /// A key with its first use and the use that conflicts with it.
  package struct Reuse: Sendable, Hashable, CustomStringConvertible {
    package let key: Key
    package let first, second: String
    package var description: String { "\(key) was used for \(first) and for \(second)" }
  }

  enum Use {
    /// A draw of a kind, of a range of elements of its stream.
    case drawn(String, Range<Int>)
    case folded
    case split

    func conflicts(with other: Use) -> Bool {
      switch (self, other) {
      case (.drawn(let mine, let a), .drawn(let theirs, let b)):
        mine == theirs ? a.overlaps(b) : !a.isEmpty && !b.isEmpty
      case (.folded, .folded), (.split, .split): false
      case (.drawn(_, let range), _), (_, .drawn(_, let range)): !range.isEmpty
      case (.folded, .split), (.split, .folded): true
      }
    }
  }

  private struct State {
    var uses: [Key: [(use: Use, name: String)]] = [:]
    var reuses: [Reuse] = []
  }

  private let state = Guarded(State())

  package init() {}

  /// The misuses so far, in order.
  package var reuses: [Reuse] { state.withLock { $0.reuses } }

  /// The number of keys so far.
  package var keyCount: Int { state.withLock { $0.uses.count } }

  /// Runs `body` with a new recorder and returns the misuses.
  package static func reuses(in body: () throws -> Void) rethrows -> [Reuse] {
    let recorder = KeyRecorder()
    try $current.withValue(recorder, operation: body)
    return recorder.reuses
  }

  func note(_ key: Key, _ use: Use, _ name: String) {
    state.withLock { state in
      let earlier = state.uses[key, default: []]
      if let first = earlier.first(where: { $0.use.conflicts(with: use) }) {
        state.reuses.append(Reuse(key: key, first: first.name, second: name))
      }
      if !earlier.contains(where: { $0.name == name }) { state.uses[key, default: []].append((use, name)) }
    }
  }
}

extension Key {
  /// Notes a draw of `count` elements from element `first` on.
  ///
  /// - Precondition: Neither number is negative.
  func noteDraw(_ name: StaticString, _ count: Int, from first: Int) {
    require(
      count >= 0 && first >= 0, "\(name): count and offset must not be negative, got \(count), \(first)")
    let range = first..<first + count
    DrawTrace.current?.refuse(name)
    KeyRecorder.current?.note(self, .drawn("\(name)", range), "\(name)[\(range)]")
  }

  /// Notes a draw that has no chunks.
  func noteWhole(_ name: StaticString) {
    DrawTrace.current?.refuse(name)
    KeyRecorder.current?.note(self, .drawn("\(name)", 0..<Int.max), "\(name)")
  }
}
