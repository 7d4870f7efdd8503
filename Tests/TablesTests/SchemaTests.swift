import Files
import Randomness
import Tables
import Tensors
import Testing

/// A column's texts and the kind that is inferred.
private let inferred: [(texts: [String], kind: ColumnKind, levels: Int)] = [
  ((0..<40).map { "\(Double($0 * $0 % 37) + 0.25)" }, .continuous, 0),
  ((0..<40).map { "\($0 * $0 % 37)" }, .integer, 0),
  ((0..<200).map { "\($0 % 20)" }, .integer, 20),
  ((0..<200).map { "\(Double($0 % 4) / 2)" }, .continuous, 4),
  ((0..<40).map { ["red", "green", "blue"][$0 % 3] }, .categorical, 3),
  ((0..<40).map { $0 % 2 == 0 ? "Yes" : "no" }, .boolean, 2),
  ((0..<40).map { "\($0 % 2)" }, .boolean, 2),
  ((0..<40).map { _ in "7" }, .constant, 1), ((0..<40).map { _ in "same" }, .constant, 1),
  ((0..<40).map { "2024-01-\($0 % 31 + 1 < 10 ? "0" : "")\($0 % 31 + 1)" }, .date, 0),
  ((0..<40).map { "2024-02-29 10:\($0 + 10)" }, .date, 0),
  ((0..<40).map { "2024-02-29T10:00:\($0 + 10)Z" }, .date, 0),
]

/// A column's texts that no model can take, with words of the message.
private let refused: [(texts: [String], words: String)] = [
  ((0..<40).map { "person \($0)" }, "holds a different text in each row"),
  ((0..<80).map { "code \($0 / 2)" }, "too many for categories; --without \"x,y\" leaves it out, --type"),
  ((0..<40).map { "\($0 + 100)" }, "numbers the rows"),
  ((0..<40).map { $0 == 3 ? "oops" : "\(Double($0) * 0.37)" }, "row 5, column 1: expected a number"),
  ((0..<40).map { _ in "" }, "expected values"),
]

func table(_ columns: KeyValuePairs<String, [String]>) throws -> TextTable {
  let count = columns[0].value.count
  let names = columns.map { CSV.quoted($0.key, separator: .comma) }.joined(separator: ",")
  let lines = (0..<count).map { row in columns.map { $0.value[row] }.joined(separator: ",") }
  return try TextTable.parse(
    ([names] + lines).joined(separator: "\n") + "\n", options: .init(header: .present))
}

@Suite struct SchemaTests {
  @Test(arguments: inferred.indices) func kindsAreInferred(i: Int) throws {
    let (schema, rows) = try TableSchema.infer(from: table(["x": inferred[i].texts, "y": inferred[4].texts.count == inferred[i].texts.count ? inferred[4].texts : inferred[i].texts.map { _ in "a" }]))
    #expect(schema.columns[0].kind == inferred[i].kind)
    #expect(schema.columns[0].levels.count == inferred[i].levels)
    #expect(schema.columns[0].missing == nil && rows.count == inferred[i].texts.count)
  }

  @Test(arguments: refused.indices) func columnsAreRefused(i: Int) throws {
    let table = try table(["x,y": refused[i].texts, "z": refused[i].texts.map { _ in "a" }])
    let error = #expect(throws: FlowError.self) { try TableSchema.infer(from: table) }
    #expect("\(error!)".contains(refused[i].words), "\(error!)")
    #expect("\(error!)".contains("x,y"))
  }
}
