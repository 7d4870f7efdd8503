import Tensors

/// A value that is made at its first use and kept for the next ones.
///
/// Two threads that ask at once may both make it: neither waits for the other.
final class Kept<Value: Sendable>: Sendable {
  private let kept = Guarded<Value?>(nil)

  /// The value that is kept, or else the one that the closure makes.
  func value(_ make: () throws -> Value) rethrows -> Value {
    if let value = kept.withLock({ $0 }) { return value }
    let value = try make()
    kept.withLock { $0 = value }
    return value
  }
}
