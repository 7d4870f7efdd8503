import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The processors that this process may use, as the operating system reports them.
package enum Processors {
  /// The number of processors, at least 1. On Linux a launcher, such as `mpirun`, Slurm or `taskset`, may
  /// have bound the process to some of those in use.
  package static let count: Int = {
    let bound = Int(ck_bound_processors())
    return bound > 0 ? bound : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }()

  /// Lets another thread run on this processor.
  static func yield() { sched_yield() }

  /// Waits for about a tenth of a millisecond.
  package static func pause() { usleep(100) }
}
