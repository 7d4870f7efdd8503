#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The processors of this machine, as the operating system reports them.
package enum Processors {
  /// The number of processors in use, at least 1.
  static let count = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Lets another thread run on this processor.
  static func yield() { sched_yield() }

  /// Waits for about a tenth of a millisecond.
  package static func pause() { usleep(100) }
}
