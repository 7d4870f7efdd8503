import Files
import Flows

// `Benchmarks/counts` finds these two functions by their names, and counts from the call of the first to that
// of the second.
@inline(never) func countedRun(_ body: () throws -> Void) rethrows { try body() }
@inline(never) func countedEnd(_ name: String) { print(name) }

/// The hot paths whose instructions `Benchmarks/counts` compares with a budget, in a fixed order.
///
/// The layers of a workload cost the same, so a few of them stand for all. Each path shows a cost that the
/// others hide:
///
/// - realnvp-2d: tapes, trees and reference counts around small products; all of its layers.
/// - realnvp-63d: large products, backward products and Adam.
/// - maf-43d: masked products, and draws one dimension after the other.
/// - nsf-8d: splines, with and without gradients.
/// - actnorm-linear-64d: triangular products; glow: convolutions; ot-flow: an exact trace along a solver.
/// - csv, gzip: reading a table; normals: the generator and its inverse error function.
enum CountedPath {
  static func runAll() throws {
    try run([.step], of: .realNVP2D(), rows: 32, warmUp: 3)
    try run([.step], of: .realNVP63D(layers: 2), rows: 32)
    try run([.step, .sample], of: .maf43D(layers: 2), rows: 32)
    try run([.step, .logPDF], of: .nsf8D(layers: 3), rows: 32)
    try run([.step], of: .actNormLinear64D(layers: 6), rows: 32)
    try run([.step], of: .glow(size: 8, levels: 1, steps: 2), rows: 4)
    try run([.step], of: otFlow, rows: 8)
    try run("csv", csv(rows: 400))
    try run("gzip", gzip())
    try run("normals") { _ = Key(0).normal([1 << 16]) }
  }

  private static let otFlow = Workload(
    name: "ot-flow", inputDim: 8, batch: 16, flow: .otFlow(width: 64, steps: 2), objective: .otFlow())

  private static func run(
    _ parts: [Benchmark.Part], of workload: Workload, rows: Int, warmUp: Int = 1
  ) throws {
    let benchmark = try Benchmark(workload, rows: rows)
    for part in parts { try run("\(workload.name).\(part)", warmUp: warmUp, benchmark.run(of: part)) }
  }

  /// Runs a body for warm-up and once more, counted, and prints the name of the path.
  private static func run(_ name: String, warmUp: Int = 1, _ body: () throws -> Void) throws {
    for _ in 0..<warmUp { try body() }
    try countedRun(body)
    countedEnd(name)
  }

  /// Reads a table of eight columns of numbers from a text, as the command `flow` does.
  private static func csv(rows: Int) throws -> () throws -> Void {
    let numbers = Key(0).normal([rows, 8]).doubles
    let lines = (0..<rows).map { row in
      numbers[row * 8..<row * 8 + 8].map { "\((($0 * 1e4).rounded() / 1e4))" }.joined(separator: ",")
    }
    let bytes = Array((["a,b,c,d,e,f,g,h"] + lines).joined(separator: "\n").utf8)
    return { _ = try TextTable.parse(bytes: bytes).numbers(columns: Array(0..<8)) }
  }

  /// Expands the table of diamonds, 2.8 MB of text.
  private static func gzip() throws -> () throws -> Void {
    let bytes = try FileBytes.read(diamonds)
    return { _ = try FileBytes.content(of: bytes, source: diamonds) }
  }

  static let diamonds =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    + "/Examples/tables/diamonds.csv.gz"
}
