import Distributions
import Files
import Randomness
import Tensors
import Testing

@testable import Tables

/// Draws of a mixed table for which some columns are given.
@Suite struct GivenCellsTests {
  /// Draws given some columns have the model's own conditional distribution.
  @Test func givenColumnsAreConditionedOn() throws {
    let people = Population(400)
    let model = try fitted(table(["kind": people.kind, "x": people.x, "z": people.z]), steps: 120).model
    func probability(_ kinds: [String], _ x: String, _ zs: [String]) throws -> [Double] {
      let rows = try model.schema.encode(
        table(["kind": kinds, "x": kinds.map { _ in x }, "z": zs]))
      return try model.logLikelihood(of: rows).softmax(axis: 0).doubles
    }
    let cells = [("a", "no"), ("a", "yes"), ("b", "no"), ("b", "yes")]
    for x in ["1.5", "4"] {
      let truth = try probability(cells.map { $0.0 }, x, cells.map { $0.1 })
      let draws = try model.sample(Key(2), count: 2_000, given: ["x": x])
      #expect(draws.columns[1].allSatisfy { $0 == x } && draws.effectiveSampleSize! > 500)
      for (cell, p) in zip(cells, truth) {
        let share = (0..<2_000).count { draws.columns[0][$0] == cell.0 && draws.columns[2][$0] == cell.1 }
        #expect(abs(Double(share) / 2_000 - p) < 0.05, "\(cell) at \(x): \(share) of 2000, \(p)")
      }
    }
    // Columns that come first are exact, later ones are not.
    #expect(try model.sample(Key(2), count: 10, given: ["kind": "a"]).effectiveSampleSize == nil)
    #expect(try model.sample(Key(2), count: 10, given: ["z": "yes"]).effectiveSampleSize != nil)
    // One draw has equal weights by itself, and is drawn among weighted ones all the same.
    #expect(try model.sample(Key(2), count: 1, given: ["z": "yes"]).effectiveSampleSize != nil)
    #expect(throws: FlowError.self) { try model.sample(Key(2), count: 1, from: 3, given: ["z": "yes"]) }
    let all = try model.sample(Key(2), count: 10, given: ["z": "yes", "kind": "b"])
    #expect(all.columns[0].allSatisfy { $0 == "b" } && all.columns[2].allSatisfy { $0 == "yes" })

    for (given, words) in [
      (["y": "1"], "among kind, x, z"), (["kind": "c"], "expected one of b, a"),
      (["x": "big"], "got \"big\""),
      (["x": ""], "got a missing one"),
    ] {
      let error = #expect(throws: FlowError.self) { try model.sample(Key(0), count: 1, given: given) }
      #expect("\(error!)".contains(words))
    }
  }

  /// A number may be given behind another: the first is then drawn by weight.
  @Test func laterNumbersAreConditionedOn() throws {
    let n = 500
    let (x, noise) = (Key(0).normal([n]).doubles, Key(1).normal([n]).doubles)
    let y = (0..<n).map { x[$0] + noise[$0] }
    let model = try fitted(
      table(["x": x.map { "\($0)" }, "y": y.map { "\($0)" }]), steps: 60
    ).model
    #expect(model.ordersNumbers)
    // x given y = 2 is normal with mean 1 and variance ½.
    let draws = try model.sample(Key(3), count: 1_000, given: ["y": "2"])
    let numbers = draws.columns[0].map { Double($0!)! }
    let mean = numbers.reduce(0, +) / 1_000
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1_000
    #expect(abs(mean - 1) < 0.2 && abs(variance - 0.5) < 0.2, "\(mean) \(variance)")
    // x comes first, so draws given x are exact.
    #expect(try model.sample(Key(3), count: 50, given: ["x": "1"]).effectiveSampleSize == nil)

    let other = try TableModel(model.schema, flows: [.maf(layers: 1, hidden: [4])])
    let error = #expect(throws: FlowError.self) { try other.sample(Key(0), count: 1, given: ["x": "1"]) }
    #expect("\(error!)".contains("ordered-splines"))
    #expect(throws: FlowError.self) { try TableModel(model.schema, flows: [.maf()], params: model.params) }
  }

  /// The logarithm of the given values' probability is that of their share.
  @Test func givenValuesHaveAProbability() throws {
    let people = Population(400)
    let model = try fitted(table(["kind": people.kind, "x": people.x]), steps: 60).model
    let share = Double(people.kind.count { $0 == "a" }) / 400
    let given = try model.sample(Key(0), count: 50, given: ["kind": "a"]).givenLogLikelihood
    #expect(abs(exp(Tensor(given!, dtype: .float64)).item - share) < 0.05)
    let (near, far) = (
      try model.sample(Key(0), count: 50, given: ["x": "2"]).givenLogLikelihood!,
      try model.sample(Key(0), count: 50, given: ["x": "400"]).givenLogLikelihood!
    )
    #expect(near > -4 && far < -10, "\(near) \(far)")
    #expect(try model.sample(Key(0), count: 5).givenLogLikelihood == nil)
  }

  /// Values given in all columns have the log-likelihood of their row.
  @Test(arguments: [("1980", "3.25"), ("2001", "-700.5"), ("1980", nil)])
  func givenRowsHaveTheirScore(year: String, x: String?) throws {
    let u = Key(1).uniform([200]).doubles
    let years = u.map { "\(1950 + Int(66 * $0))" }
    let numbers = Key(2).normal([200]).doubles.map { "\(1_000 * $0)" }
    let data = try table(x == nil ? ["year": years] : ["year": years, "x": numbers])
    let model = try TableModel(TableSchema.infer(from: data).schema, flows: [.orderedSplines()])
    let given = x.map { ["year": year, "x": $0] } ?? ["year": year]
    let row = try table(x.map { ["year": [year], "x": [$0]] } ?? ["year": [year]])
    let score = try model.logLikelihood(of: model.schema.encode(row), draws: 64).item
    let own = try model.sample(Key(0), count: 500, given: given).givenLogLikelihood!
    #expect(abs(own - score) < 0.02 && own < -3, "\(own) \(score)")
  }
}
