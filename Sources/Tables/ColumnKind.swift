/// The kind of a column of a table.
public enum ColumnKind: String, Sendable, Hashable, CaseIterable {
  /// Real numbers.
  case continuous
  /// Whole numbers.
  case integer
  /// One of a list of texts.
  case categorical
  /// One of two texts, such as yes and no.
  case boolean
  /// A day such as 2024-01-31, with or without a time of day.
  case date
  /// The same text in all rows.
  case constant
}
