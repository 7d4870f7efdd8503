import Distributions
import Files
import Randomness
import Tables
import Tensors
import Testing
import Training

@Suite struct TableModelTests {
  @Test func fitsAMixedTable() throws {
    let n = 400
    let kind = Key(0).folded(in: 0).uniform([n]).doubles.map { $0 < 0.3 ? "a" : "b" }
    let noise = Key(0).folded(in: 1).normal([n]).doubles
    let x = (0..<n).map { kind[$0] == "a" ? noise[$0] * 2 + 5 : noise[$0] }
    let texts = x.map { "\($0)" }
    let table = try table(["kind": kind, "x": texts])
    let (schema, rows) = try TableSchema.infer(from: table)
    var settings = FitSettings(rows: n)
    (settings.folds, settings.steps) = (1, 300)
    let encoded = try schema.encode(table, rows: rows)
    let fit = try TableModel.fit(
      schema, to: encoded,
      candidates: [Candidate("small", .orderedSplines(hidden: [16], bins: 4))], settings: settings, key: Key(1),
      progress: .silent)
    print(fit.heldOutLogLikelihood, try fit.model.logLikelihood(of: encoded).mean())
    let draws = try fit.model.sample(Key(2), count: 5)
    print(draws.text(), schema.text)
    print(try fit.model.sample(Key(2), count: 5, given: ["kind": "a"]).text())
    let g = try fit.model.sample(Key(2), count: 1000, given: ["x": "2.0"])
    print(g.columns[0].count { $0 == "a" }, g.effectiveSampleSize as Any)
  }
}
