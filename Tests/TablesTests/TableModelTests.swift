import Distributions
import Files
import Foundation
import Randomness
import Tensors
import Testing
import Training

@testable import Tables

@Suite struct TableModelTests {
  /// The mean log-likelihood is close to minus the entropy, and the density integrates to 1.
  @Test func aMixedTableIsLearned() throws {
    let people = Population(500)
    let fit = try fitted(table(["kind": people.kind, "x": people.x]), steps: 300)
    #expect(!fit.model.schema.isBound && fit.model.schema.columnsWithDensity == ["x"])
    // H = H(0.3) + ½ log 2πe + 0.3 log 2.
    #expect(abs(fit.heldOutLogLikelihood + 2.2376) < 0.2, "\(fit.heldOutLogLikelihood)")
    // The mixture of x by itself has an entropy above that of x given the kind.
    #expect(abs(fit.independentLogLikelihood + 2.6) < 0.25, "\(fit.independentLogLikelihood)")

    let grid = (0..<1_200).map { "\(Double($0) / 20 - 30)" }
    let rows = try fit.model.schema.encode(
      table(["kind": grid.map { _ in "a" } + grid.map { _ in "b" }, "x": grid + grid]))
    let density = exp(try fit.model.logLikelihood(of: rows))
    #expect(abs(density.sum().item / 20 - 1) < 1e-3)
    // A row has the same score alone.
    #expect(
      try fit.model.logLikelihood(of: rows.rows([7])).doubles[0]
        == fit.model.logLikelihood(of: rows).doubles[7])
  }

  /// The probabilities of all whole numbers sum to 1, and those of the sum of four dice are learned.
  @Test func wholeNumbersHaveProbabilities() throws {
    let n = 600
    let dice = (0..<4).map { Key(0).folded(in: $0).integers([n], in: 1..<21).ints }
    let sums = (0..<n).map { i in dice.reduce(0) { $0 + $1[i] } }
    let fit = try fitted(table(["sum": sums.map { "\($0)" }, "one": sums.map { _ in "1" }]), steps: 250)
    let schema = fit.model.schema
    #expect(schema.isBound && schema.columnsWithDensity.isEmpty && schema.columns[0].scale?.step == 1)
    let all = (1...80).map { "\($0)" }
    let rows = try schema.encode(table(["sum": all, "one": all.map { _ in "1" }]))
    let loose = try fit.model.logLikelihood(of: rows, draws: 1)
    let tight = try fit.model.logLikelihood(of: rows, draws: 64)
    #expect(abs(exp(tight).sum().item - 1) < 0.01)
    #expect(exp(loose).isFinite && abs(exp(tight).doubles[41] - 0.0343) < 0.01)
    #expect(fit.heldOutLogLikelihood > -4.1)
  }

  /// A frequent value and missing ones have probabilities, which depend on another column.
  @Test func spikesAndMissingValuesAreLearned() throws {
    let n = 500
    let (u, v) = (Key(7).folded(in: 0).uniform([n]).doubles, Key(7).folded(in: 1).uniform([n]).doubles)
    let noise = Key(7).folded(in: 2).normal([n]).doubles
    let group = u.map { $0 < 0.5 ? "g" : "h" }
    let x = (0..<n).map { i in
      group[i] == "g" ? (v[i] < 0.6 ? "" : "\(noise[i])") : v[i] < 0.3 ? "0" : "\(noise[i] + 5)"
    }
    let fit = try fitted(table(["group": group, "x": x]), steps: 250)
    let column = fit.model.schema.columns[1]
    #expect(column.missing == "" && column.scale?.spikes == [0] && fit.model.schema.isBound)
    // H = log 2 + ½ H(0.6) + ½ H(0.3) + ½ (0.4 + 0.7) ½ log 2πe.
    #expect(abs(fit.heldOutLogLikelihood + 2.115) < 0.3, "\(fit.heldOutLogLikelihood)")

    // The probabilities of the missing and the frequent value and the density of the others sum to 1.
    func total(_ texts: [String], draws: Int) throws -> Double {
      let rows = try fit.model.schema.encode(
        table(["group": texts.map { _ in "g" } + texts.map { _ in "h" }, "x": texts + texts]))
      return exp(try fit.model.logLikelihood(of: rows, draws: draws)).sum().item
    }
    let grid = (0..<600).map { "\(Double($0) / 20 - 15.02)" }
    let sum = try total(["", "0"], draws: 200) + total(grid, draws: 1) / 20
    #expect(abs(sum - 1) < 0.05, "\(sum)")

    let draws = try fit.model.sample(Key(3), count: 4_000)
    func share(_ group: String, _ text: String?) -> Double {
      let rows = (0..<4_000).filter { draws.columns[0][$0] == group }
      return Double(rows.count { draws.columns[1][$0] == text }) / Double(rows.count)
    }
    #expect(abs(share("g", nil) - 0.6) < 0.07 && share("h", nil) < 0.04)
    #expect(abs(share("h", "0") - 0.3) < 0.07 && share("g", "0") < 0.04)
    let lines = draws.text().split(separator: "\n")
    #expect(lines.count == 4_001 && lines[0] == "group,x" && lines.contains("g,") && lines.contains("h,0"))
  }

  /// Independent columns are those of the other rows, and judged on held-out ones.
  @Test func independentColumnsAreJudgedOnHeldOutRows() throws {
    let schema = try TableSchema.infer(
      from: table(["k": ["a", "a", "b", "b", "a"], "x": ["1.5", "", "2.25", "4.125", "3.0625"]])
    ).schema
    #expect(schema.codeCounts == [2, 2])
    let codes = Tensor([[0, 0], [0, 1], [1, 0], [1, 0], [0, 0]], dtype: .float64)
    // Of a, b: 2 and 2 of the rows but the last, each plus ½. Of numbers and missing ones: 3 and 1.
    let expected = log(Tensor([2.5 / 5, 3.5 / 5], dtype: .float64)).sum().item
    #expect(abs(TableModel.independentCodes(schema, codes, [4]) - expected) < 1e-12)
    #expect(TableModel.independentCodes(schema, codes, []) == -.infinity)

    let numbers = [1.0, 0, 3, 5]
    let rows = TableRows(
      codes: .zeros([4, 0], dtype: .float64),
      intervals: Tensor(numbers.flatMap { $0 == 0 ? [1, -1] : [$0, $0] }, shape: [4, 2], dtype: .float64),
      logScale: Tensor([10, 20, 30, 40], dtype: .float64))
    // 1 and 3 have mean 2 and deviation 1.
    let density = -0.5 * 9 - 0.91893853320467274 + 40
    #expect(abs(TableModel.independentNumbers(rows, [[3]]) - density) < 1e-12)
    #expect(abs(TableModel.independentNumbers(rows, [[1], [3]]) - (density + 20) / 2) < 1e-12)
  }

  /// A fit that is cancelled at once has the shares of the levels and about a normal density of the numbers.
  @Test func cancelledAtOnceItIsUsable() async throws {
    let people = Population(200)
    let data = try table(["kind": people.kind, "x": people.x])
    let fit = try await Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try fitted(data, steps: 300)
    }.value
    #expect(fit.isCancelled && fit.codes?.state.step == 0 && fit.numbers?.trials[0].steps == 0)
    #expect(fit.heldOutLogLikelihood > fit.independentLogLikelihood - 0.3, "\(fit)")
    let scores = try fit.model.logLikelihood(of: fit.model.schema.encode(data))
    #expect(abs(scores.mean().item - fit.heldOutLogLikelihood) < 0.5)
    #expect(try fit.model.sample(Key(0), count: 20, given: ["kind": "a"]).count == 20)
  }

  /// The fits of codes and of numbers go on from their checkpoints, to the same bits.
  @Test func checkpointsGoOn() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "tables-\(UUID().uuidString)").path
    defer { for name in ["", ".levels"] { try? FileManager.default.removeItem(atPath: path + name) } }
    let people = Population(120)
    let data = try table(["kind": people.kind, "x": people.x])
    let whole = try fitted(data, steps: 12, checkpoint: Checkpoint(path, every: .steps(5)))
    #expect(whole.codes?.state.step == 12 && FileBytes.exists(path))
    try FileManager.default.removeItem(atPath: path)
    let resumed = try fitted(data, steps: 12, checkpoint: Checkpoint(path))
    #expect(resumed.heldOutLogLikelihood == whole.heldOutLogLikelihood)
    #expect(zip(resumed.model.params.leaves, whole.model.params.leaves).allSatisfy { $0.isIdentical(to: $1) })
    try FileBytes.write([1, 2, 3], to: path + ".levels")
    let error = #expect(throws: FlowError.self) {
      try fitted(data, steps: 12, checkpoint: Checkpoint(path))
    }
    #expect("\(error!)".contains(path + ".levels"))
  }

  /// A table of levels alone needs no flow.
  @Test func levelsAloneAreATable() throws {
    let people = Population(300)
    let fit = try fitted(table(["kind": people.kind, "z": people.z]), steps: 100)
    #expect(fit.numbers == nil && !fit.model.schema.isBound)
    let cells = try fit.model.schema.encode(
      table(["kind": ["a", "a", "b", "b"], "z": ["no", "yes", "no", "yes"]]))
    #expect(abs(exp(try fit.model.logLikelihood(of: cells)).sum().item - 1) < 1e-6)
    #expect(try fit.model.sample(Key(0), count: 7, given: ["z": "no"]).count == 7)

    // Draws have a header if the table had one.
    let headless = try TextTable.parse("a,1\nb,2\na,3\na,4\nb,5\n", options: .init(header: .none))
    let schema = try TableSchema.infer(from: headless, columns: ["#1"]).schema
    let draws = try TableModel(schema, flows: [.orderedSplines()]).sample(Key(0), count: 3)
    #expect(draws.text().split(separator: "\n").allSatisfy { $0 == "a" || $0 == "b" })
    #expect(try TableSchema(parsing: schema.text) == schema && !schema.hasHeader)
  }
}
