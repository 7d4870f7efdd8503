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
    // Correlated columns of different means: something to learn.
    let noise = Key(100).normal([64, 5])
    let data = matmul(noise, 0.5 * wave([5, 5], dtype: .float32)) + Tensor([1, 2, 3, 4, 5])
    let results = try readmeExample(data: data, inputs: data[0..<8])

    #expect(results.outputs.shape == [8, 5])
    #expect(results.logDet.shape == [8])
    #expect(isClose(results.restored, results.inputs, 1e-5))
    #expect(isClose(results.inverseLogDet, -results.logDet, 1e-5))
    #expect(results.density.shape == [8])
    #expect(results.draws.shape == [1000, 5])
    #expect(results.draws.isFinite)

    let flow = Flow(
      Serial(AffineCoupling(MLP(hidden: [64, 64])), InvertibleLinear(), ActNorm()), prior: Normal())
    let logPDF = try flow(Key(0), inputDim: 5).logPDF
    let before = try logPDF(results.initial, data).mean().item
    let after = try logPDF(results.trained, data).mean().item
    #expect(after > before + 10, "\(before) before and \(after) after training")
  }
}
