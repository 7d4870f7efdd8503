import Files
import Randomness
import Tensors
import Testing

@testable import Tables

/// A column's texts, the kind that is inferred, and the number of levels.
private let inferred: [(texts: [String], kind: ColumnKind, levels: Int)] = [
  ((0..<40).map { "\(Double($0 * $0 % 37) + 0.25)" }, .continuous, 0),
  ((0..<40).map { "\($0 * $0 % 37)" }, .integer, 0), ((0..<200).map { "\($0 % 20)" }, .integer, 20),
  ((0..<200).map { "\(Double($0 % 4) / 2)" }, .continuous, 4),
  ((0..<40).map { ["red", "green", "blue"][$0 % 3] }, .categorical, 3),
  ((0..<40).map { $0 % 2 == 0 ? "Yes" : "no" }, .boolean, 2),
  ((0..<60).map { ["true", "True", "FALSE", "TRUE", "false", "true"][$0 % 6] }, .boolean, 2),
  ((0..<40).map { ["0", "1", "1.0", "0.0", "0"][$0 % 5] }, .boolean, 2),
  ((0..<40).map { $0 % 3 == 0 ? "7.0" : "7" }, .constant, 1),
  ((0..<40).map { "\($0 % 2)" }, .boolean, 2),
  ((0..<200).map { $0 % 50 < 9 ? "0\($0 % 9)123" : "1\($0 % 9)455" }, .categorical, 18),
  ((0..<40).map { _ in "7" }, .constant, 1), ((0..<40).map { _ in "same" }, .constant, 1),
  ((0..<40).map { "2024-01-\($0 % 31 + 1 < 10 ? "0" : "")\($0 % 31 + 1)" }, .date, 0),
  ((0..<40).map { "2024-02-29 10:\($0 + 10)" }, .date, 0),
  ((0..<40).map { "2024-02-29T10:00:\($0 + 10)Z" }, .date, 0),
  ((0..<40).map { $0 == 7 ? "2024-02-30" : "2024-02-\($0 % 3 + 10)" }, .categorical, 4),
]

/// A column's texts that no model can take, with words of the message.
private let refused: [(texts: [String], words: String)] = [
  ((0..<40).map { "person \($0)" }, "got a different text in each row"),
  (
    (0..<80).map { "code \($0 / 2)" },
    "got 40 in 80 rows; --without \"x,y\" leaves it out, --type \"x,y\":cat"
  ),
  (
    (0..<40).map { "\($0 + 100)" }, "numbers of the rows; --without \"x,y\" leaves it out, --type \"x,y\":int"
  ),
  ((0..<40).map { $0 == 3 ? "oops" : "\(Double($0) * 0.37)" }, "row 5, column 1: expected a number"),
  ((0..<40).map { _ in "" }, "expected values"),
]

/// A table of columns of texts.
func table(_ columns: KeyValuePairs<String, [String]>) throws -> TextTable {
  let count = columns[0].value.count
  let names = columns.map { CSV.quoted($0.key, separator: .comma) }.joined(separator: ",")
  let lines = (0..<count).map { row in columns.map { $0.value[row] }.joined(separator: ",") }
  return try TextTable.parse(
    ([names] + lines).joined(separator: "\n") + "\n", options: .init(header: .present))
}

@Suite struct SchemaTests {
  /// Beside a number without room for cells, whole numbers would be drawn as fractions.
  @Test func wholeNumbersOfOneScaleAreExpected() throws {
    let plain = (0..<100).map { "\(50 + $0 * 37 % 101)" }
    for (extra, fits) in [("1e15", true), ("1e16", false), ("1e308", false)] {
      let all = try table(["x": plain + [extra]])
      guard fits else {
        let error = #expect(throws: FlowError.self) { try TableSchema.infer(from: all) }
        #expect("\(error!)".contains("expected numbers of one scale"), "\(error!)")
        continue
      }
      let schema = try TableSchema.infer(from: all).schema
      #expect(schema.columns[0].scale?.step == 1)
      let text = schema.decode(codes: .zeros([1, 0]), numbers: Tensor([0.1234], shape: [1, 1]))[0][0]
      #expect(Int(text!) != nil, "\(text!)")
    }
  }

  @Test(arguments: inferred.indices) func kindsAreInferred(i: Int) throws {
    let (texts, kind, levels) = inferred[i]
    for missing in [nil, "NA", "", "null"] {
      let some = texts.enumerated().map { $0 == 5 ? missing ?? $1 : $1 }
      let (schema, rows) = try TableSchema.infer(from: table(["x": some, "y": some.map { _ in "a" }]))
      let column = schema.columns[0]
      #expect(column.kind == kind && column.levels.count == levels && rows.count == texts.count)
      #expect(column.missing == missing)
      #expect(try TableSchema(parsing: schema.text) == schema)
    }
  }

  /// A number that recurs among numbers of many decimals has a probability, however rare it is.
  @Test func rareAtomsAreFound() throws {
    let numbers = Key(0).normal([400]).doubles.enumerated().map { $0 % 50 == 0 ? "0" : "\($1)" }
    let scale = try #require(try TableSchema.infer(from: table(["x": numbers])).schema.columns[0].scale)
    #expect(scale.spikes == [0] && scale.step == 0)
    // Small numbers keep their digits.
    #expect(NumberScale(spelling: .decimal(places: 15, isFixed: false), step: 0).text(1.6e-19) == "1.6e-19")
  }

  /// Numbers of any size keep a scale, and one number beside which the others vanish is named.
  @Test(arguments: [
    ("1e300", 1e300, true), ("1e20", 1, true), ("-1e60", 1, true), ("1e300", 1, false),
    ("-1e307", 1e307, true),
    ("5", 1e-300, false), ("7", 1e300, true),
  ])
  func numbersOfAnySize(outlier: String, scale: Double, isFine: Bool) throws {
    let numbers = Key(0).normal([60]).doubles.map { $0 * scale / 3 }
    let texts = numbers.enumerated().map { $0 == 11 ? outlier : "\($1)" }
    let table = try table(["x": texts, "k": texts.map { _ in "a" }])
    guard isFine else {
      let error = #expect(throws: FlowError.self) { try TableSchema.infer(from: table) }
      #expect(
        "\(error!)".contains("row 13, column 1: expected numbers of one scale in \"x\", got"), "\(error!)")
      return
    }
    let schema = try TableSchema.infer(from: table).schema
    let rows = try schema.encode(table)
    #expect(rows.intervals.cast(to: .float32).isFinite && rows.logScale.isFinite)
    let model = try TableModel(schema, flows: [.orderedSplines(layers: 1, hidden: [4], bins: 4)])
    #expect(try model.logLikelihood(of: rows).isFinite)
    #expect(try model.sample(Key(0), count: 20).columns[0].allSatisfy { Double($0!)!.isFinite })
  }

  /// Whole numbers beyond the digits of float64 have a density instead of cells.
  @Test(arguments: [("1234567", true), ("12345678901234567890", false)])
  func wholeNumbersOfManyDigits(base: String, hasCells: Bool) throws {
    let texts = (0..<60).map { "\(100 + $0 * $0 * 7 % 800)" + base }
    let schema = try TableSchema.infer(from: table(["x": texts])).schema
    #expect(schema.columns[0].kind == .integer && (schema.columns[0].scale!.step > 0) == hasCells)
    #expect(try schema.encode(table(["x": texts])).logScale.doubles.allSatisfy { $0 > -60 })
  }

  @Test(arguments: [
    ("id", 30, 7_919, true), ("Customer_ID", 30, 7_919, true), ("customerId", 30, 7_919, true),
    ("price", 30, 7_919, false), ("price", 150, 7_919, true), ("id", 10, 7_919, false),
    ("id", 150, 7, false), ("valid", 50, 7_919, false),
  ])
  func numbersThatMayNameTheRows(name: String, count: Int, range: Int, isLikely: Bool) {
    let numbers = (0..<count).map { Double($0 * 31 % range) }
    #expect(mayIdentifyRows(numbers, named: name) == isLikely)
    #expect(!mayIdentifyRows(numbers.map { $0 + 0.5 }, named: name))
  }

  /// Booleans are read in any spelling and written in the most frequent one.
  @Test func spellingsOfBooleansAreOne() throws {
    let texts = (0..<60).map { ["true", "True", "FALSE", "TRUE", "false", "true", "FALSE"][$0 % 7] }
    let schema = try TableSchema.infer(from: table(["x": texts])).schema
    #expect(schema.columns[0].levels == ["true", "FALSE"])
    let rows = try schema.encode(table(["x": ["tRUE", "False", "true"]]))
    #expect(rows.codes.doubles == [0, 1, 0])
    var options = TableSchema.Options()
    options.types = ["x": .boolean]
    let three = try table(["x": (0..<30).map { ["a", "b", "c"][$0 % 3] }])
    let error = #expect(throws: FlowError.self) { try TableSchema.infer(from: three, options: options) }
    #expect("\(error!)".contains("--type x:categorical takes it all the same"), "\(error!)")
  }

  /// A network has a parameter for each pair of levels, so their number has a limit.
  @Test(arguments: [(5, 1_000, true), (6, 1_000, false), (1, 1_001, false)])
  func levelsAreLimited(columns: Int, levels: Int, isFine: Bool) throws {
    let names = (0..<columns).map { "x\($0)" }
    // Each level comes twice, in another order in each column.
    let lines = (0..<2 * levels).map { row in
      (0..<columns).map { "t\((row * [1, 3, 7, 11, 13, 17][$0] + row / levels * $0) % levels)" }
        .joined(separator: ",")
    }
    let text = ([names.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
    var options = TableSchema.Options()
    options.types = Dictionary(uniqueKeysWithValues: names.map { ($0, .categorical) })
    let table = try TextTable.parse(text)
    if isFine {
      #expect(try TableSchema.infer(from: table, options: options).schema.featureCount == 5_000)
      return
    }
    let error = #expect(throws: FlowError.self) { try TableSchema.infer(from: table, options: options) }
    #expect("\(error!)".contains(columns > 1 ? "expected at most 5000 levels" : "at most 1000 levels"))
  }

  @Test(arguments: refused.indices) func columnsAreRefused(i: Int) throws {
    let table = try table(["x,y": refused[i].texts, "z": refused[i].texts.map { _ in "a" }])
    let error = #expect(throws: FlowError.self) { try TableSchema.infer(from: table) }
    #expect("\(error!)".contains(refused[i].words) && "\(error!)".contains("x,y"), "\(error!)")
    // A column that is not asked for is no concern.
    #expect(try TableSchema.infer(from: table, columns: ["z"]).schema.names == ["z"])
  }

  @Test func wishesCount() throws {
    let numbers = (0..<40).map { "\($0 * $0 % 37 + 1)" }
    let table = try table([
      "x": numbers, "y": numbers.map { $0 == "2" ? "" : $0 },
      "z": (0..<40).map { "\($0 % 3)" },
    ])
    var options = TableSchema.Options()
    options.types = ["x": .categorical, "z": .integer]
    options.bounds = ["y": 0...50]
    options.missing = .drop
    let (schema, rows) = try TableSchema.infer(from: table, options: options)
    #expect(rows.count == 37 && schema.columns.allSatisfy { $0.missing == nil })
    #expect(schema.columns[0].kind == .categorical && schema.columns[0].levels.count == 18)
    #expect(schema.columns[1].scale?.curve == .logit(low: -1, high: 51))
    #expect(schema.columns[2].levels.count == 3)

    options.missing = .error
    #expect(throws: FlowError.self) { try TableSchema.infer(from: table, options: options) }
    options.missing = .model
    options.bounds = ["y": 0...20]
    #expect(throws: FlowError.self) { try TableSchema.infer(from: table, options: options) }
    options.bounds = ["other": 0...20]
    let error = #expect(throws: FlowError.self) { try TableSchema.infer(from: table, options: options) }
    #expect("\(error!)".contains("got \"other\"; there are x,y,z"))
  }

  @Test(arguments: [
    ("0000-03-01", -719468.0), ("1969-12-31", -1), ("1970-01-01", 0), ("2000-02-29", 11016),
    ("2024-12-31", 20088), ("9999-12-31", 2932896), ("1970-01-02 00:01", 86460),
    ("1969-12-31T23:59:59Z", -1),
  ])
  func datesReadAndWrite(text: String, number: Double) throws {
    let parsed = try #require(DateFormat.parse(text))
    #expect(parsed.number == number && parsed.format.text(number) == text)
  }

  @Test(arguments: [
    "2023-02-29", "2024-13-01", "2024-1-1", "2024-01-01 24:00", "2024-01-01T10", "2024-01-01 10:00:60",
    "20240101", "2024-01-01x10:00", "-024-01-01",
  ])
  func otherTextsAreNoDates(text: String) { #expect(DateFormat.parse(text) == nil) }
}
