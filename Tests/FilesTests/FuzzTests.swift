import FuzzSupport
import Testing

/// The fuzzer on few files; `swift run -c release fuzz` runs it on as many as asked for.
@Suite struct FuzzTests {
  @Test(arguments: Format.all.map(\.name), [1, 2] as [UInt64])
  func mutatedFilesAreReadOrRefused(name: String, seed: UInt64) throws {
    let format = try #require(Format.all.first { $0.name == name })
    var fuzzer = Fuzzer(format, seed: seed)
    let outcome = fuzzer.run(500)
    // The mutations must not be so wild, nor so tame, that only one of the two is tried.
    #expect(outcome.accepted > 25 && outcome.refused > 25, "\(outcome)")
  }
}
