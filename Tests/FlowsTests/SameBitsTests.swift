import Flows
import Foundation
import SameBits
import Testing

/// Training gives the same bits for any number of threads and on every instruction set. The program
/// `same-bits` holds release builds to the same constant.
@Suite struct SameBitsTests {
  @Test(arguments: [1, 2, 3, 8]) func threads(_ count: Int) throws {
    let hash = try Parallelism.$threads.withValue(count) { try SameBits.trained() }
    #expect(hash == SameBits.expected, "\(String(hash, radix: 16)) with \(count) threads")
  }

  /// The environment is read once a process, so each set has a process of its own. Where the processor lacks
  /// the set it takes another.
  @Test(arguments: ["baseline", "v3", "v4"]) func instructionSet(_ name: String) async {
    await #expect(processExitsWith: .success) { [name] in
      setenv("SWIFT_FLOWS_ISA", name, 1)
      #expect(SameBits.instructionSet == name || name != "baseline")
      let hash = try SameBits.trained()
      #expect(hash == SameBits.expected, "\(String(hash, radix: 16)) on \(SameBits.instructionSet)")
    }
  }
}
