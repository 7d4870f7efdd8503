// Trains a small flow and holds its parameters' hash against the constant, for builds that the tests are not
// made in.
//
//     swift run -c release same-bits
//     SWIFT_FLOWS_ISA=baseline swift run -c release same-bits
import Flows
import SameBits

for threads in [1, 2, 3, 8] {
  let hash = try Parallelism.$threads.withValue(threads) { try SameBits.trained() }
  require(hash == SameBits.expected, "\(threads) threads give \(String(hash, radix: 16))")
}
print("\(String(SameBits.expected, radix: 16)) with 1, 2, 3 and 8 threads on \(SameBits.instructionSet)")
