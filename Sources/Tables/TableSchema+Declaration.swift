import Files
import Privacy
import Tensors

/// A table's schema as a person declares it in JSON. Bounds of numbers may be left to be bought.
///
/// ```json
/// {"columns": [
///   {"name": "cut", "levels": ["Fair", "Good", "Ideal"], "missing": "NA"},
///   {"name": "price", "bounds": [100, 20000], "places": 0, "log": true},
///   {"name": "tax", "bounds": [0, 1], "spikes": [0]},
///   {"name": "income", "bounds": "bought", "places": 0}
/// ]}
/// ```
///
/// A column has levels or bounds. `places` are the decimals that numbers are rounded to; without them they
/// have a density. `missing` is the text of a missing value. Bounds that are bought come from the rows of a
/// private fit, by a `RangeSearch`.
public struct TableDeclaration: Sendable {
  private let columns: [TableColumn]
  /// The columns whose bounds are to be bought. Their own are a placeholder.
  private let bought: Set<String>

  /// Reads a declaration.
  ///
  /// - Throws: `FlowError.mismatch` for any other text, with the column's name.
  public init(_ text: String) throws(FlowError) {
    func wrong(_ what: String, _ expected: String, _ got: String) -> FlowError {
      .mismatch(who: "a schema", what: what, expected: expected, got: got)
    }
    let json: JSON
    do { json = try JSON(parsing: Array(text.utf8)) } catch {
      throw wrong("text", "that is JSON", excerpt(text))
    }
    guard let all = json["columns"]?.array, (1...10_000).contains(all.count) else {
      throw wrong("JSON", "an object with a list of columns", excerpt(text))
    }
    var (columns, bought): ([TableColumn], Set<String>) = ([], [])
    for own in all {
      guard let name = own["name"]?.string, !columns.contains(where: { $0.name == name }) else {
        throw wrong("column", "with a name of its own", excerpt(own.text))
      }
      guard let column = TableColumn(declared: own, name) else {
        throw wrong(
          "column \(excerpt(name))",
          "with levels that differ, or two rising bounds with places from 0 to 12, above 0 with log, "
            + "up to 1e300 or 15 digits",
          excerpt(own.text))
      }
      columns.append(column)
      if own["bounds"] == "bought" { bought.insert(name) }
    }
    (self.columns, self.bought) = (columns, bought)
  }

  /// The names of all columns.
  public var names: [String] { columns.map(\.name) }

  /// The names of the columns whose bounds are to be bought.
  public var boughtNames: [String] { names.filter(bought.contains) }

  /// The schema without the bounds that are to be bought. It serves for plans, and for no rows.
  public var provisional: TableSchema { TableSchema(declaring: columns) }

  /// The schema with bounds that a search buys from the rows of a table. The plan of the fit must count the
  /// search's `ledger`.
  ///
  /// Bounds of rounded numbers are multiples of their last place, and frequent numbers lie within.
  ///
  /// - Parameters:
  ///   - search: the search; nil where no bounds are to be bought.
  ///   - table: the table.
  ///   - noise: the source of noise.
  /// - Throws: `FlowError.file` for a missing column, and `PrivacyError` for one with too few rows.
  public func schema(
    buying search: RangeSearch?, from table: TextTable, noise: NoiseSource
  ) throws -> TableSchema {
    let own = columns.filter { bought.contains($0.name) }
    guard let search else {
      require(own.isEmpty, "bounds of \(own.map(\.name)) need a search")
      return provisional
    }
    let positions = try TableSchema(declaring: own).positions(in: table)
    let ranges = try search(
      zip(own, positions).map { column, position in
        RangeSearch.Column(
          column.name, (0..<table.rows).map { column.number(Field(table, row: $0, column: position)) },
          isLogarithmic: column.isLogarithmic)
      }, noise: noise)
    let found = Dictionary(uniqueKeysWithValues: zip(own.map(\.name), ranges))
    return TableSchema(declaring: columns.map { column in found[column.name].map(column.within) ?? column })
  }
}

extension TableColumn {
  /// The number of a field; NaN for none.
  fileprivate func number(_ field: Field) -> Double {
    field.text == missing ? .nan : field.number ?? .nan
  }

  /// The same column within a range.
  fileprivate func within(_ range: ClosedRange<Double>) -> TableColumn {
    guard let scale else { return self }
    var ends = [range.lowerBound, range.upperBound]
    if scale.step > 0 {
      ends = [(ends[0] / scale.step).rounded(.down), (ends[1] / scale.step).rounded(.up)]
      if isLogarithmic { ends[0] = max(ends[0], 1) }
      ends[1] = max(ends[1], ends[0] + 1)
      ends = ends.map { $0 * scale.step }
    }
    let all = ends + scale.spikes
    var places: Int?
    if case .decimal(let own, _) = scale.spelling, scale.step > 0 { places = own }
    return .numbers(
      name, in: all.min()!...all.max()!, places: places, isLogarithmic: isLogarithmic,
      spikes: scale.spikes, missing: missing)
  }
}

extension TableSchema {
  /// Reads a declared schema from JSON as `TableDeclaration` does.
  ///
  /// - Throws: `FlowError.mismatch` for any other text, and for bounds that are to be bought.
  public init(declaration text: String) throws(FlowError) {
    let declaration = try TableDeclaration(text)
    if let name = declaration.boughtNames.first {
      throw .mismatch(
        who: "a schema", what: "column \(excerpt(name))",
        expected: "with bounds, since only a private fit buys them", got: "\"bought\"")
    }
    self = declaration.provisional
  }
}

extension TableColumn {
  /// A declared column; nil for any other JSON.
  fileprivate init?(declared json: JSON, _ name: String) {
    let known: Set = ["name", "levels", "bounds", "places", "log", "spikes", "missing"]
    guard case .object(let members) = json, members.allSatisfy({ known.contains($0.name) }) else {
      return nil
    }
    let missing = json["missing"]?.string
    guard missing != nil || json["missing"] == nil else { return nil }
    if let levels = json["levels"]?.array {
      let texts = levels.compactMap { $0.string ?? $0.integer.map { "\($0)" } }
      guard texts.count == levels.count, (1...1_000).contains(texts.count), Set(texts).count == texts.count,
        json["bounds"] == nil
      else { return nil }
      self = .levels(name, texts, missing: missing)
      return
    }
    let spikes = json["spikes"]?.array?.compactMap(\.number) ?? []
    guard json["spikes"] == nil || json["spikes"]?.array?.count == spikes.count,
      json["log"] == nil || json["log"]?.bool != nil
    else { return nil }
    let (places, log) = (json["places"]?.integer, json["log"]?.bool ?? false)
    var bounds = json["bounds"]?.array?.compactMap(\.number) ?? []
    if json["bounds"] == "bought" { bounds = [min(spikes.min() ?? 1, 1), max(spikes.max() ?? 2, 2)] }
    // Numbers of more than 15 digits have no last place.
    let step = places.map { (0..<min($0, 12)).reduce(1.0) { step, _ in step / 10 } }
    guard bounds.count == 2, bounds[0] < bounds[1], bounds.allSatisfy({ abs($0) <= 1e300 }),
      !log || bounds[0] > 0, step.map({ max(abs(bounds[0]), abs(bounds[1])) / $0 < 1e15 }) ?? true,
      (0...12).contains(places ?? 0), places != nil || json["places"] == nil, spikes.count <= 20,
      spikes.allSatisfy({ bounds[0] <= $0 && $0 <= bounds[1] })
    else { return nil }
    self = .numbers(
      name, in: bounds[0]...bounds[1], places: places, isLogarithmic: log, spikes: spikes, missing: missing)
  }
}
