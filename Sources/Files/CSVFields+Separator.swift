import Tensors

extension CSVFields {
  /// The separator of a text: the one that gives the first records the same number of fields, above 1.
  ///
  /// If several do, a comma comes last, since it is a decimal mark too. If none does, it is the one with the
  /// most fields in the first record.
  static func separator(in bytes: [UInt8], source: String) -> CSV.Separator {
    var (best, most) = (CSV.Separator.comma, 1)
    for separator in [CSV.Separator.tab, .semicolon, .pipe, .comma] {
      let (count, isSame) = fieldCount(of: bytes, separator, source)
      if isSame, count > 1 { return separator }
      if count > most || count == most && separator == .comma { (best, most) = (separator, count) }
    }
    return best
  }

  /// The number of fields of the first record, and whether the first 200 records have as many.
  private static func fieldCount(
    of bytes: [UInt8], _ separator: CSV.Separator, _ source: String
  ) -> (count: Int, isSame: Bool) {
    var fields = CSVFields(bytes, separator: separator.rawValue, source: source)
    guard !fields.isAtEnd, let first = try? fields.record().count else { return (0, false) }
    for _ in 0..<200 where !fields.isAtEnd {
      guard let count = try? fields.record().count, count == first else { return (first, false) }
    }
    return (first, true)
  }
}
