import Files
import Privacy
import Randomness
import Tables
import Tensors
import Testing
import Training

/// Private fits to tables, and the declared schemas that they need.
@Suite struct PrivateTableTests {
  private let schema = TableSchema(declaring: [
    .levels("plan", ["basic", "pro", "none"], missing: ""),
    .numbers("age", in: 18...90, places: 0),
    .numbers("spend", in: 1...1_000, isLogarithmic: true, spikes: [1]),
  ])

  private func table(_ rows: [String]) throws -> TextTable {
    try TextTable.parse((["plan,age,spend"] + rows).joined(separator: "\n") + "\n")
  }

  @Test func aDeclaredSchemaClampsNumbers() throws {
    let wild = try table(["basic,17,0.5", "pro,120,5000", ",40,30.25"])
    let inside = try table(["basic,18,1", "pro,90,1000", ",40,30.25"])
    let (clamped, encoded) = (try schema.encode(wild, clamping: true), try schema.encode(inside))
    #expect(
      clamped.codes.doubles == encoded.codes.doubles && clamped.intervals.doubles == encoded.intervals.doubles
    )
    #expect(throws: FlowError.self) { try schema.encode(wild) }
    #expect(throws: FlowError.self) { try schema.encode(table(["gold,40,30"]), clamping: true) }
  }

  /// Declared marks of missing values count, and rounded draws stay within bounds between multiples.
  @Test func declaredMarksAndBoundsHold() throws {
    let schema = TableSchema(declaring: [
      .numbers("age", in: 18...90, places: 0, missing: "-999"), .numbers("u", in: -0.4...40.6, places: 0),
    ])
    let rows = try schema.encode(TextTable.parse("age,u\n-999,3\n40,40\n"), clamping: true)
    #expect(rows.codes.doubles == [1, 0])
    let draws = try TableModel(schema, flows: [.orderedSplines(layers: 1, hidden: [4])])
      .sample(Key(0), count: 500)
    #expect(draws.columns[1].allSatisfy { (0...40).contains(Int($0 ?? "") ?? -1) })
    _ = try schema.encode(TextTable.parse(draws.text()))
  }

  /// A fit learns the shares and the place of numbers, and its charge counts the steps of both parts.
  @Test func aPrivateFitLearnsAndCountsBothParts() throws {
    let rows = try schema.encode(
      table((0..<1_000).map { "\($0 % 10 == 0 ? "pro" : "basic"),\(25 + $0 % 5),\(20 + $0 % 7)" }))
    let plan = try PrivacyPlan(
      noiseMultiplier: 1, delta: 1e-5, rate: 0.1, batch: 100, steps: 60, clipping: .perRow(1))
    func fit() throws -> PrivateTableFit {
      try TableModel.fit(
        schema, to: rows, privately: plan, noise: .notPrivate(seed: 1), key: Key(0), progress: .silent)
    }
    let result = try fit()
    let before = try TableModel(schema, flows: [.orderedSplines(layers: 1, hidden: [64, 64])])
    func mean(_ model: TableModel) throws -> Double {
      try model.logLikelihood(of: rows, draws: 1).mean().item
    }
    #expect(try mean(result.model) > mean(before) + 0.5)
    #expect(try result.model.params.leaves.map(\.doubles) == fit().model.params.leaves.map(\.doubles))
    #expect(!result.isPrivate && !result.isCancelled)
    let coarse = PLDAccountant(points: 1 << 10)
    let both = try PrivacyPlan(
      noiseMultiplier: 1, delta: 1e-5, rate: 0.1, batch: 100, steps: 120, clipping: .perRow(1))
    let (own, expected) = (
      try result.plan.spent(by: coarse).losses.upper, try both.spent(by: coarse).losses.upper
    )
    #expect(abs(own - expected) < 1e-3 * expected)
  }

  @Test func aPlanReachesTheWishedEpsilon() throws {
    let plan = try TableModel.plan(
      schema, epsilon: 2, delta: 1e-5, rate: 0.05, batch: 50, steps: 50,
      by: PLDAccountant(points: 1 << 12))
    let all = try PLDAccountant(points: 1 << 12).epsilon(
      of: PrivacyLedger().charging(plan.mechanism, steps: 100), delta: 1e-5)
    #expect(all.upper <= 2 && all.upper > 1.98)
  }

  /// Bought bounds hold the column's numbers and its frequent ones, and are multiples of the last place.
  @Test func boundsThatAreBought() throws {
    let declaration = try TableDeclaration(
      #"{"columns": [{"name": "age", "bounds": "bought", "places": 0, "spikes": [-1], "missing": "x"}, "#
        + #"{"name": "spend", "bounds": "bought", "log": true}, {"name": "u", "bounds": [0, 1]}]}"#)
    #expect(declaration.boughtNames == ["age", "spend"])
    let rows = (0..<4_000).map { "\($0 % 9 == 0 ? "x" : "\(20 + $0 % 41)"),\(Double($0 % 100) - 0.5),0.5" }
    let table = try TextTable.parse("age,spend,u\n" + rows.joined(separator: "\n") + "\n")
    let schema = try declaration.schema(
      buying: RangeSearch(noiseMultiplier: 10), from: table, noise: .notPrivate(seed: 1))
    let (age, spend) = (try #require(schema.columns[0].bounds), try #require(schema.columns[1].bounds))
    #expect(age.lowerBound == -1 && age.upperBound >= 60 && age.upperBound < 90)
    #expect(age.upperBound == age.upperBound.rounded() && schema.columns[2].bounds == 0...1)
    #expect(spend.lowerBound > 0 && spend.lowerBound < 5 && spend.upperBound > 90 && spend.upperBound < 1e4)
    #expect(schema.columns[1].isLogarithmic)
    _ = try schema.encode(table, clamping: true)
    #expect(throws: FlowError.self) {
      try TableSchema(declaration: #"{"columns": [{"name": "a", "bounds": "bought"}]}"#)
    }
  }
}
