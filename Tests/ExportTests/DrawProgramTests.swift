import Distributions
import Export
import Files
import Foundation
import Randomness
import StableHLO
import Tensors
import Testing

/// The random words of programs, which `Tests/StableHLO/check.py` compares to the bit where
/// `SWIFT_FLOWS_PROGRAMS` names a folder.
@Suite struct DrawProgramTests {
  private static let keys = [Key(0), Key(-7), Key(high: 0xFFFF_FFFF, low: 0x8000_0001)]

  /// The bits of words as an int32 tensor.
  private static func integers(_ words: [UInt32], _ shape: Shape) -> Tensor {
    Tensor(ints: words.map { Int(Int32(bitPattern: $0)) }, shape: shape)
  }

  @Test(arguments: keys.indices) func words(_ number: Int) throws {
    let key = Self.keys[number]
    let count = 1000
    let kind = StableHLOProgram.Kind([2], .int32)
    let program = try StableHLOProgram(tracing: "words", of: [kind]) { graph, tensors in
      let own = GraphKey(graph, tensors[0])
      let counters = graph.places(Graph.Kind([count], .uint64), axis: 0)
      // Past 2³² the upper word of a counter counts.
      let far = graph.operation(
        "stablehlo.add", [counters, graph.constant(Int(UInt32.max) - 10, graph.kind(counters))],
        graph.kind(counters))
      let child = own.child(3).child(UInt64(bitPattern: -1))
      let long = graph.kind(counters).shape.batched(2)
      return [own.bits(counters), child.bits(far)].map { graph.integers(ofWords: $0) }
        + [
          graph.tensor(
            graph.operation(
              "stablehlo.bitcast_convert", [own.bits64(counters)],
              Graph.Kind(Shape(long.sizes.reversed()), Graph.Element.int32)))
        ]
    }
    #expect(program.results.map(\.shape) == [[count], [count], [count, 2]])
    #expect(program.text.contains("ui64") && !program.text.contains("i64>) -> tensor<1000xi64>"))
    guard let path = ProcessInfo.processInfo.environment["SWIFT_FLOWS_PROGRAMS"] else { return }
    let folder = URL(filePath: path)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let child = key.folded(in: 3).folded(in: -1)
    // The lower half of a long word is first in memory.
    let halves = key.bits64(count).flatMap {
      [UInt32(truncatingIfNeeded: $0), UInt32(truncatingIfNeeded: $0 >> 32)]
    }
    try program.text.write(
      to: folder.appending(path: "words\(number).mlir"), atomically: true, encoding: .utf8)
    try SafeTensors([
      (name: "in0", value: Self.integers([key.high, key.low], [2])),
      (name: "out0", value: Self.integers(key.bits(count), [count])),
      (name: "out1", value: Self.integers(child.bits(count, from: Int(UInt32.max) - 10), [count])),
      (name: "out2", value: Self.integers(halves, [count, 2])),
    ]).write(to: folder.appending(path: "words\(number).safetensors").path)
  }

  /// A draw that a program cannot make has a reason.
  @Test func refusals() throws {
    let (params, logPDF, sample) = try Normal()(Key(1), inputDim: 3)
    #expect(try ExportedModel("normal", logPDF, sample, params, rows: 4).sample?.results.count == 2)
    func reason(_ draw: @escaping @Sendable (Key, Int) -> Tensor) throws -> String? {
      let own = Sampler(sample.boundary) { (key, params, count, context) throws(FlowError) in
        (draw(key, count), Tensor.zeros([count]))
      }
      return try ExportedModel("own", logPDF, own, params, rows: 4).sampleRefusal
    }
    #expect(try reason { key, count in key.normal([count, 3]) } == nil)
    #expect(try reason { _, count in Key(5).normal([count, 3]) }?.contains("a key of its own") == true)
    #expect(try reason { key, _ in key.normal([7, 3]) }?.contains("not one for each of 4 rows") == true)
    #expect(try reason { key, count in key.normal([count, 3], from: 6) }?.contains("skips") == true)
    #expect(
      try reason { key, count in Tensor(ints: key.indices(count * 3, of: 5), shape: [count, 3]) }?
        .contains("a draw of indices") == true)
  }
}
