import Flows
import Foundation
import SameBits
import Testing

/// The same bits come for any number of threads and on every instruction set. The program `same-bits`
/// compares release builds with the same constants.
@Suite struct SameBitsTests {
  @Test(arguments: [1, 2, 3, 8]) func threads(_ count: Int) throws {
    try Parallelism.$threads.withValue(count) { try check() }
  }

  @Test(.enabled(if: SameBits.isSupported("v4"), "this processor lacks AVX-512"))
  func v4() async { await #expect(processExitsWith: .success) { try checkAlone("v4") } }

  @Test(.enabled(if: SameBits.isSupported("v3"), "this processor lacks AVX2"))
  func v3() async { await #expect(processExitsWith: .success) { try checkAlone("v3") } }

  @Test func baseline() async { await #expect(processExitsWith: .success) { try checkAlone("baseline") } }
}

/// The environment is read once in a process, so each instruction set has a process of its own.
private func checkAlone(_ set: String) throws {
  setenv("SWIFT_FLOWS_ISA", set, 1)
  #expect(SameBits.instructionSet == set)
  try check()
}

private func check() throws {
  for (name, found, expected) in try SameBits.all() {
    let bits = "\(name): \(String(found, radix: 16)) on \(SameBits.instructionSet)"
    #expect(found == expected, "\(bits)")
  }
}
