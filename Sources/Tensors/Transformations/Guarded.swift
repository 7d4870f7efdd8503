import Dispatch

/// A value behind a lock.
///
/// The thread sanitizer knows the calls of Dispatch. `Mutex` waits inside the kernel on Linux, which the
/// sanitizer cannot see, so it reports races in correct programs.
package final class Guarded<Value>: @unchecked Sendable {
  private let gate = DispatchSemaphore(value: 1)
  private var value: Value

  package init(_ value: sending Value) { self.value = value }

  /// Calls `body` with the value while no other thread has it. It must not ask for the same lock.
  package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    gate.wait()
    defer { gate.signal() }
    return body(&value)
  }
}
