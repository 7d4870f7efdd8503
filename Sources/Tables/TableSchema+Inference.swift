import Files
import Tensors

extension TableSchema {
  /// The treatment of missing values.
  public enum Missing: String, Sendable, Hashable, CaseIterable {
    /// Learn them.
    case model
    /// Leave rows out that have one.
    case drop
    /// Throw an error at the first one.
    case error
  }

  /// The rules for inferring a schema.
  public struct Options: Sendable {
    /// The kinds of some columns, by name.
    public var types: [String: ColumnKind] = [:]
    /// The bounds of some columns of numbers, by name. Rows outside are errors, and no draw is outside.
    public var bounds: [String: ClosedRange<Double>] = [:]
    /// Columns of positive numbers whose logs are modelled.
    public var logs: Set<String> = []
    /// The treatment of missing values.
    public var missing = Missing.model

    /// Rules without any wishes.
    public init() {}
  }

  /// The most levels of all columns: a network has a parameter for each pair of them.
  private static var mostFeatures: Int { 5_000 }

  /// Infers the schema of a table.
  ///
  /// Texts of at most 20 kinds, or 5% of the rows, are categories, or booleans for pairs such as yes and no.
  /// Numbers of at most 20 kinds are levels too. Other numbers are integers, or continuous. Fields such as
  /// 2024-01-31 are dates. Empty fields, `NA`, `nan`, `null` and `?` are missing values.
  ///
  /// - Parameters:
  ///   - table: the table.
  ///   - columns: the names of the columns to take, in order; nil for all but those that number the rows.
  ///   - options: the kinds and bounds that are known.
  /// - Returns: the schema, and the rows that it holds for.
  /// - Throws: `FlowError.file` for an unknown name, a column without values, and a column that identifies
  ///   the rows. The same for a text among numbers, and a field that does not fit a known kind or bound.
  public static func infer(
    from table: TextTable, columns: [String]? = nil, options: Options = Options()
  ) throws(FlowError) -> (schema: TableSchema, rows: [Int]) {
    let source = table.origin(ofRow: 0).file
    let names = columns ?? table.names.indices.filter { table.incidental[$0] == nil }.map { table.names[$0] }
    let all = Dictionary(zip(table.names, table.names.indices)) { first, _ in first }
    let wished = Array(options.types.keys) + Array(options.bounds.keys) + Array(options.logs)
    if let unknown = (names + wished.sorted()).first(where: { all[$0] == nil || !names.contains($0) }) {
      throw .inFile(
        source,
        "expected a column to fit, got \(excerpt(unknown)); there are \(shown(names))")
    }
    if names.isEmpty { throw .inFile(source, "expected a column to fit, got none") }
    var rows = Array(0..<table.rows)
    if options.missing == .drop {
      for name in names {
        rows = rows.filter { !Field(table, row: $0, column: all[name]!).isMissing(isNumeric: false) }
      }
      if rows.isEmpty { throw .inFile(source, "expected rows without missing values, got none") }
    }
    var (found, values): ([TableColumn], [[Double]]) = ([], [])
    for name in names {
      let inference = ColumnInference(name, all[name]!, in: table, rows, options)
      found.append(try inference.column())
      values.append(inference.values(of: found[found.count - 1]))
    }
    found = deriving(found, values, keeping: Set(options.bounds.keys).union(options.logs))
    let schema = TableSchema(found, hasHeader: table.hasHeader)
    guard schema.featureCount <= mostFeatures else {
      throw .inFile(
        source,
        "expected at most \(mostFeatures) levels in all columns, got \(schema.featureCount); "
          + "leave columns out by --without")
    }
    return (schema, rows)
  }
}
