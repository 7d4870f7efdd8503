// Compares the hashes of training runs, layers and draws with constants, for builds that the tests are not
// made in: on every instruction set of this processor, with 1, 2, 3 and 8 threads. It prints which sets ran
// and which were skipped.
//
//     swift run -c release same-bits
//     SWIFT_FLOWS_ISA=baseline swift run -c release same-bits      one set alone
import Flows
import Foundation
import SameBits

let asked = ProcessInfo.processInfo.environment["SWIFT_FLOWS_ISA"]
for set in asked.map({ [$0] }) ?? SameBits.instructionSets {
  guard SameBits.use(set) else {
    print("\(set): SKIPPED, this processor lacks it")
    continue
  }
  for threads in [1, 2, 3, 8] {
    for (name, found, expected) in try Parallelism.$threads.withValue(threads, operation: SameBits.all) {
      require(found == expected, "\(set), \(threads) threads, \(name): \(String(found, radix: 16))")
    }
  }
  print("\(set): ran, the expected bits with 1, 2, 3 and 8 threads")
}
#if arch(arm64)
  print("arm64: all of this ran on this processor")
#else
  print("arm64: not run here; Tests/aarch64/run compares its kernels alone, emulated")
#endif
