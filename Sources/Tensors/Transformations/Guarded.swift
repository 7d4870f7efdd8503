import Dispatch
import Synchronization

/// A value behind a lock.
///
/// `Mutex` waits inside the kernel on Linux, which the thread sanitizer cannot see, so it reports races in
/// correct programs. A build for the sanitizer defines `SANITIZING_THREADS` and takes a lock of Dispatch.
package final class Guarded<Value>: @unchecked Sendable {
  #if SANITIZING_THREADS
    private let gate = DispatchSemaphore(value: 1)
  #else
    private let gate = Mutex(())
  #endif
  private var value: Value

  package init(_ value: sending Value) { self.value = value }

  /// Calls `body` with the value while no other thread has it. It must not ask for the same lock.
  package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    #if SANITIZING_THREADS
      gate.wait()
      defer { gate.signal() }
      return body(&value)
    #else
      var result: Result?
      gate.withLock { _ in result = body(&value) }
      guard let result else { fatalError("the body has run") }
      return result
    #endif
  }
}
