import Distributions
import Files
import Randomness
import Tensors
import Testing

@testable import Tables

private let n = 300
private let noise = Key(0).normal([n]).doubles

private func fixed(_ x: Double, _ places: Int) -> String {
  NumberScale.Spelling.decimal(places: places, isFixed: true).text(x)
}

/// Two columns of numbers, and the rule of the one that follows from the other.
private let lines: [(x: [String], y: [String], rule: String?)] = {
  let two = noise.map { (1_000 * $0).rounded() / 100 }
  let plain = two.map { fixed($0, 2) }
  let centimetres = noise.map { (170 + 10 * $0).rounded() }
  let day = noise.map { (400 * $0).rounded() + 19_000 }
  let absent = plain.enumerated().map { $0 % 7 == 3 ? "" : $1 }
  return [
    (plain, two.map { fixed(2 * $0 + 1, 2) }, "y = 2 · x + 1"),
    (plain, two.map { fixed(-$0 / 4, 4) }, "y = -0.25 · x"), (plain, plain, "y = x"),
    (plain, two.map { fixed(1.8 * $0 + 32, 1) }, "y = 1.8 · x + 32"),
    (centimetres.map { fixed($0 / 2.54, 3) }, centimetres.map { fixed($0, 0) }, "y = 2.54 · x"),
    (centimetres.map { fixed($0, 0) }, centimetres.map { fixed($0 / 2.54, 1) }, "y = x / 2.54"),
    // The coarser column follows, whichever comes first.
    (two.map { fixed($0.rounded(), 0) }, plain, "x = y"),
    (noise.map { "\($0)" }, noise.map { "\($0 * 3.7 - 100)" }, "y = 3.7 · x − 100"),
    (noise.map { "\(Float($0))" }, noise.map { "\(Float($0) * 0.1)" }, nil),
    (noise.map { "\($0 * 1e200)" }, noise.map { "\($0 * 2e200)" }, "y = 2 · x"),
    (day.map { DateFormat().text($0) }, day.map { DateFormat().text($0 + 7) }, "y = x + 7"),
    (absent, absent.map { Double($0).map { fixed(3 * $0, 2) } ?? "" }, "y = 3 · x"),
    (absent, plain, nil), (plain, zip(two, noise.reversed()).map { fixed($0 + 0.03 * $1, 4) }, nil),
    (plain, two.map { fixed($0 * $0, 4) }, nil),
    (noise.map { "\($0 + 1e9)" }, noise.reversed().map { "\($0 + 1e9)" }, nil),
  ]
}()

@Suite struct DerivedColumnTests {
  @Test(arguments: lines.indices) func linesAreFound(i: Int) throws {
    let (x, y, rule) = lines[i]
    let kind = (0..<n).map { $0 % 3 == 0 ? "a" : "b" }
    let all = try table(["kind": kind, "x": x, "y": y])
    let schema = try TableSchema.infer(from: all).schema
    let found = schema.columns.compactMap(\.dependence)
    #expect(found == [rule].compactMap { $0 }, "\(schema.summaries)")
    guard rule != nil else { return }
    #expect(schema.numberCount == 1 && schema.parsedAgain == schema)
    // The rows fit their own rule, and come back to the letter where the source is rounded.
    let rows = try schema.encode(all)
    let texts = schema.decode(codes: rows.codes, numbers: TableRows.numbers(Key(0), in: rows.intervals))
    let (own, source) = schema.columns[2].derivation == nil ? (1, 2) : (2, 1)
    for row in 0..<n where texts[source][row] ?? "" == (source == 1 ? x : y)[row] {
      #expect(texts[own][row] ?? "" == (own == 1 ? x : y)[row])
    }
    // Another number does not fit.
    guard let number = Double(y[0]), !y[0].isEmpty else { return }
    let spread = max(1, abs(number))
    let wrong = try table(["kind": ["a"], "x": [x[0]], "y": [fixed(number + 5 * spread, 0)]])
    let error = #expect(throws: FlowError.self) { try schema.encode(wrong) }
    #expect("\(error!)".contains("; all rows of the fit have "), "\(error!)")
  }
}

/// Two columns that nearly lie on a line.
private let nearLines: [(x: [String], y: [String])] = {
  let (u, v) = (Key(5).uniform([1_000]).doubles, Key(6).uniform([1_000]).doubles)
  func whole(_ low: Double, _ width: Double) -> [Double] { u.map { low + (width * $0).rounded(.down) } }
  func texts(_ numbers: [Double]) -> [String] { numbers.map { fixed($0, 0) } }
  let time = DateFormat.parse("2015-01-01 00:00:00")!.format
  let (born, day, start) = (whole(1940, 60), whole(19_000, 700), whole(1.7e12, 3.15e10))
  let second = whole(1.4e9, 3.15e8)
  let gross = u.enumerated().map { $0 == 7 ? 3e7 : (50_000 * $1).rounded() / 10 }
  let few = [10.0, 11, 12, 12, 14, 15, 16, 17, 18, 18, 20, 21]
  return [
    (texts(born), texts(zip(born, v).map { 2024 - $0 - ($1 < 0.5 ? 0 : 1) })),
    (day.map(DateFormat().text), zip(day, v).map { DateFormat().text($0 + ($1 < 0.5 ? 0 : 1)) }),
    (texts(start), texts(zip(start, v).map { $0 + 20 + (3_980 * $1).rounded() })),
    (second.map(time.text), zip(second, v).map { time.text($0 + 1 + (54 * $1).rounded()) }),
    (gross.map { fixed($0, 1) }, gross.indices.map { fixed(gross[$0] - [0, 0.3, 1.5, 2][$0 % 4], 1) }),
    (texts((2010...2021).map(Double.init)), texts(few)),
    // Twelve rows are too few for any line.
    (texts((2010...2021).map(Double.init)), texts((10...21).map(Double.init))),
    (u.map { "\($0 + 0.1)" }, zip(u, v).map { "\($0 + 0.1 + 1e-9 * $1)" }),
    (u.map { "\(1e6 * $0)" }, zip(u, v).map { fixed(1e6 * $0 + 0.02 * $1, 2) }),
  ]
}()

extension DerivedColumnTests {
  @Test(arguments: nearLines.indices) func nearLinesAreNoRules(i: Int) throws {
    let schema = try TableSchema.infer(from: table(["x": nearLines[i].x, "y": nearLines[i].y])).schema
    #expect(schema.columns.allSatisfy { $0.dependence == nil }, "\(schema.summaries)")
  }

  /// A number of twelve digits must follow to its last one.
  @Test func largeNumbersFollowExactly() throws {
    let x = noise.map { 5e11 + (1e6 * $0).rounded() }
    let schema = try TableSchema.infer(
      from: table(["u": x.map { fixed($0, 0) }, "v": x.map { fixed($0 + 1, 0) }])
    ).schema
    #expect(schema.columns.compactMap(\.dependence) == ["v = u + 1"])
    for (shift, fits) in [(1.0, true), (2, false), (400, false)] {
      let row = try table(["u": [fixed(x[0], 0)], "v": [fixed(x[0] + shift, 0)]])
      #expect(((try? schema.encode(row)) != nil) == fits, "\(shift)")
      var errors: [FlowError] = []
      let marked = try schema.encode(row) { errors.append($0) }
      #expect(errors.isEmpty == fits && marked.logScale.isFinite == fits, "\(shift)")
    }
  }
}

/// Columns of levels, and whether the second follows from the first.
private let levels: [(x: [String], y: [String], follows: Bool)] = {
  let m = 1_000
  let codes = (0..<m).map { ["CH", "DE", "FR", ""][($0 * $0 + $0 / 7) % 4] }
  let names = ["CH": "Switzerland", "DE": "Germany", "FR": "France", "": "NA"]
  let grades = (0..<m).map { "\(($0 * $0 + $0 / 5) % 6)" }
  let rare = (0..<m).map { $0 == 17 ? "yes" : "no" }
  let some = (0..<m).map { $0 % 50 == 17 ? "yes" : "no" }
  let flags = (0..<35).map { $0 * $0 % 3 == 0 ? "y" : "n" }
  return [
    (codes, codes.map { names[$0]! }, true), (codes, codes, true),
    (grades, grades.map { "\(2 * Int($0)! + 1)" }, true), (grades, grades.map { "g\($0)" }, true),
    (Array(codes.prefix(300)), Array(codes.prefix(300)), true),
    (Array(codes.prefix(299)), Array(codes.prefix(299)), false),
    // Rows are too few.
    (flags, flags, false), (Array(codes.prefix(900)), codes.prefix(900).map { names[$0]! }, false),
    (some, some.map { $0 == "yes" ? "1" : "0" }, false),
    // Two rare flags may agree by chance, and a missing value has no level.
    (rare, rare.map { $0 == "yes" ? "1" : "0" }, false),
    (codes, codes.map { $0 == "CH" ? "" : names[$0]!.replacing("NA", with: "none") }, false),
    // A level of two others follows from them, but the network learns that.
    (codes, codes.map { $0 == "CH" ? "no" : "yes" }, false),
  ]
}()

extension DerivedColumnTests {
  @Test(arguments: levels.indices) func levelsFollowOneToOne(i: Int) throws {
    let (x, y, follows) = levels[i]
    let z = Key(9).normal([x.count]).doubles.map { "\($0)" }
    let all = try table(["x": x, "z": z, "y": y])
    let schema = try TableSchema.infer(from: all).schema
    #expect(schema.columns[2].dependence == (follows ? "y has one level for each of x" : nil))
    #expect(schema.parsedAgain == schema && schema.codeCounts.count == (follows ? 1 : 2))
    let model = try TableModel(schema, flows: [.orderedSplines(layers: 1, hidden: [4], bins: 4)])
    let draws = try model.sample(Key(0), count: 100)
    let pairs = Set(zip(x, y).map { "\($0) \($1)" })
    for i in 0..<100 where follows { #expect(pairs.contains("\(draws.row(i)[0]) \(draws.row(i)[2])")) }
    guard follows else { return }
    let given = try model.sample(Key(0), count: 5, given: ["y": y[1]])
    #expect((0..<5).allSatisfy { given.row($0)[0] == x[1] && given.row($0)[2] == y[1] })
    #expect(throws: FlowError.self) { try model.sample(Key(0), count: 1, given: ["y": y[1], "x": x[0]]) }
    let other = x.indices.first { x[$0] != x[0] }!
    let wrong = try table(["x": [x[0]], "z": ["0.5"], "y": [y[other]]])
    let error = #expect(throws: FlowError.self) { try schema.encode(wrong) }
    #expect("\(error!)".contains("all rows of the fit have \"y has one level for each of x\""), "\(error!)")
  }

  /// Draws keep the relation, and the likelihood is that of the table without the column.
  @Test(arguments: ["", "z"]) func drawsKeepTheLine(missing: String) throws {
    let x = noise.enumerated().map { missing == "z" && $0 % 9 == 4 ? "NA" : fixed(3 * $1, 2) }
    let y = x.map { Double($0).map { fixed(2 * $0 + 1, 2) } ?? "NA" }
    let kind = (0..<n).map { $0 % 3 == 0 ? "a" : "b" }
    let (all, less) = (try table(["y": y, "kind": kind, "x": x]), try table(["kind": kind, "x": x]))
    let schema = try TableSchema.infer(from: all).schema
    #expect(schema.columns.compactMap(\.dependence) == ["x = 0.5 · y − 0.5"])
    let flow = Flow.orderedSplines(layers: 1, hidden: [4], bins: 4)
    let model = try TableModel(schema, flows: [flow])
    let draws = try model.sample(Key(3), count: 200)
    for i in 0..<200 {
      let row = draws.row(i)
      #expect(Double(row[2]).map { fixed(2 * $0 + 1, 2) } ?? "NA" == row[0], "\(row)")
    }
    // The scores of the table without x are the same, row by row.
    let short = try TableModel(
      TableSchema.infer(from: table(["y": y, "kind": kind])).schema, flows: [flow], params: model.params)
    let (own, other) = (
      try model.logLikelihood(of: schema.encode(all)), try short.logLikelihood(of: short.schema.encode(all))
    )
    #expect(own.isIdentical(to: other) && schema.isBound == short.schema.isBound)
    #expect(less.names.count == 2)

    let given = try model.sample(Key(1), count: 3, given: ["x": "1.5"])
    #expect(given.columns[0].allSatisfy { $0 == "4.00" } && given.columns[2].allSatisfy { $0 == "1.50" })
    for (given, words) in [
      (["x": "1.5", "y": "5"], "have \"x = 0.5 · y − 0.5\""), (["x": "big"], "expected a number in \"x\""),
    ] {
      let error = #expect(throws: FlowError.self) { try model.sample(Key(0), count: 1, given: given) }
      #expect("\(error!)".contains(words), "\(error!)")
    }
  }

  /// A rounded column stands for many numbers of its source, so it cannot be given.
  @Test func roundedColumnsAreNotGiven() throws {
    let schema = try TableSchema.infer(
      from: table(["x": noise.map { "\(100 * $0)" }, "y": noise.map { fixed(100 * $0, 0) }])
    ).schema
    let model = try TableModel(schema, flows: [.orderedSplines(layers: 1, hidden: [4], bins: 4)])
    let error = #expect(throws: FlowError.self) { try model.sample(Key(0), count: 1, given: ["y": "3"]) }
    #expect("\(error!)".contains("expected a value of \"x\", from which \"y\" follows"), "\(error!)")
    // A column with bounds keeps a density of its own.
    var options = TableSchema.Options()
    options.bounds = ["y": -400...400]
    let bounded = try TableSchema.infer(
      from: table(["x": noise.map { "\(100 * $0)" }, "y": noise.map { fixed(100 * $0, 0) }]), options: options
    )
    #expect(bounded.schema.columns.allSatisfy { $0.dependence == nil })
  }

  @Test(arguments: [
    "{\"from\": \"z\", \"levels\": [\"a\"]}", "{\"from\": \"y\", \"levels\": [\"a\"]}",
    "{\"from\": \"x\", \"levels\": [\"a\", \"b\"]}", "{\"from\": \"x\", \"levels\": []}",
    "{\"from\": \"x\", \"slope\": 1, \"intercept\": 0, \"tolerance\": 0, \"places\": 2}", "{}", "3",
  ])
  func damagedRulesAreErrors(rule: String) throws {
    func text(_ rule: String) -> String {
      "{\"version\": 1, \"columns\": [{\"name\": \"x\", \"kind\": \"categorical\", \"levels\": [\"a\"]}, "
        + "{\"name\": \"y\", \"kind\": \"categorical\", \"derived\": \(rule)}]}"
    }
    _ = try TableSchema(parsing: text("{\"from\": \"x\", \"levels\": [\"b\"]}"))
    #expect(throws: FlowError.self) { try TableSchema(parsing: text(rule)) }
  }
}

extension TableSchema {
  fileprivate var parsedAgain: TableSchema? { try? TableSchema(parsing: text) }
  fileprivate var summaries: [String] { columns.map { "\($0.name): \($0.summary)" } }
}
