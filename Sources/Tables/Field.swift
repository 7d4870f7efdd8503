import Files

/// A field of a table: its text, and its number if it is one.
struct Field {
  let text: String
  let isQuoted: Bool
  let value: TextTable.Value

  init(_ table: TextTable, row: Int, column: Int) {
    value = table.value(row: row, column: column)
    if case .empty = value {
      (text, isQuoted) = ("", table.isQuoted(row: row, column: column))
    } else {
      (text, isQuoted) = (table.text(row: row, column: column), table.isQuoted(row: row, column: column))
    }
  }

  /// A field of a command line.
  init(_ text: String) {
    (self.text, isQuoted) = (text, false)
    let parsed = try? TextTable.parse("x\n" + CSV.quoted(text, separator: .comma) + "\n")
    value = text.isEmpty ? .empty : parsed?.value(row: 0, column: 0) ?? .text
  }

  var number: Double? { if case .number(let number) = value { number } else { nil } }

  /// Whether the field stands for a missing value. In columns of numbers more words do.
  func isMissing(isNumeric: Bool) -> Bool {
    switch value {
    case .empty: return !isQuoted || isNumeric
    case .number, .outOfRange: return false
    case .notFinite, .text:
      guard text.utf8.count <= 7 else { return false }
      let word = text.lowercased()
      return Field.missing.contains(word) || isNumeric && Field.missingNumbers.contains(word)
    }
  }

  private static let missing: Set<String> = ["na", "n/a", "#n/a", "nan", "null", "?"]
  private static let missingNumbers: Set<String> = ["none", "nil", "missing"]
}
