// Compares the hashes of a training run and of layers with constants, for builds that the tests are not made
// in: on every instruction set of this processor, with 1, 2, 3 and 8 threads. It prints which sets ran and
// which were skipped.
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
    let (training, evaluation) = try Parallelism.$threads.withValue(threads) {
      (try SameBits.trained(), try SameBits.evaluated())
    }
    require(
      training == SameBits.expectedTraining && evaluation == SameBits.expectedEvaluation,
      "\(set), \(threads) threads: \(String(training, radix: 16)) and \(String(evaluation, radix: 16))")
  }
  print("\(set): ran, the expected bits with 1, 2, 3 and 8 threads")
}
#if !arch(arm64)
  print("arm64: not run here; Tests/aarch64/run compares its kernels, emulated")
#endif
