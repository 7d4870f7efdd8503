import Flows
import Foundation
import TestSupport
import Testing

/// The README's example is compiled and run as it stands there.
@Suite struct ReadmeTests {
  private func lines(_ path: String) throws -> [String] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: path).standardized
    return try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
  }

  @Test func exampleIsTheReadmeToTheLetter() throws {
    let readme = try lines("../../README.md")
    let starts = readme.indices.filter { readme[$0] == "```swift" }
    try #require(starts.count == 1, "the README has exactly one block of Swift")
    let shown = readme[(starts[0] + 1)...].prefix { $0 != "```" }
    try #require(shown.starts(with: ["import Flows", ""]))

    let example = try lines("ReadmeExample.swift")
    let first = try #require(example.firstIndex(of: "  // README begin")) + 1
    let last = try #require(example.firstIndex(of: "  // README end"))
    let compiled = example[first..<last].map { $0.isEmpty ? "" : String($0.dropFirst(2)) }
    for (i, (a, b)) in zip(shown.dropFirst(2), compiled).enumerated() {
      #expect(a == b, "line \(i + 3) of the block")
    }
    #expect(shown.count == compiled.count + 2)
  }

  @Test func exampleRuns() throws {
    let results = try readmeExample()
    #expect(results.latents.shape == [500, 2] && results.logDet.shape == [500])
    #expect(isClose(results.restored, results.data, 1e-5))
    #expect(results.draws.shape == [500, 2] && results.draws.isFinite)

    let start = try results.trained.replacing("bijection", by: results.initial)
    let before = try results.logPDF(start, results.data).mean().item
    let after = try results.logPDF(results.trained, results.data).mean().item
    #expect(after > before + 0.5, "\(before) before and \(after) after training")
  }
}
