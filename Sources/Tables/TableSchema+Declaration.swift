import Files
import Tensors

extension TableSchema {
  /// Reads a declared schema from JSON that a person has written.
  ///
  /// ```json
  /// {"columns": [
  ///   {"name": "cut", "levels": ["Fair", "Good", "Ideal"], "missing": "NA"},
  ///   {"name": "price", "bounds": [100, 20000], "places": 0, "log": true},
  ///   {"name": "tax", "bounds": [0, 1], "spikes": [0]}
  /// ]}
  /// ```
  ///
  /// A column has levels or bounds. `places` are the decimals that numbers are rounded to; without them they
  /// have a density. `missing` is the text of a missing value.
  ///
  /// - Throws: `FlowError.mismatch` for any other text, with the column's name.
  public init(declaration text: String) throws(FlowError) {
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
    var columns: [TableColumn] = []
    for own in all {
      guard let name = own["name"]?.string, !columns.contains(where: { $0.name == name }) else {
        throw wrong("column", "with a name of its own", excerpt(own.text))
      }
      guard let column = TableColumn(declared: own, name) else {
        throw wrong(
          "column \(excerpt(name))",
          "with levels that differ, or two rising bounds with places from 0 to 12, above 0 with log",
          excerpt(own.text))
      }
      columns.append(column)
    }
    self.init(declaring: columns)
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
    let bounds = json["bounds"]?.array?.compactMap(\.number) ?? []
    let spikes = json["spikes"]?.array?.compactMap(\.number) ?? []
    guard json["spikes"] == nil || json["spikes"]?.array?.count == spikes.count,
      json["log"] == nil || json["log"]?.bool != nil
    else { return nil }
    let (places, log) = (json["places"]?.integer, json["log"]?.bool ?? false)
    guard bounds.count == 2, bounds[0] < bounds[1], bounds.allSatisfy(\.isFinite), !log || bounds[0] > 0,
      (0...12).contains(places ?? 0), places != nil || json["places"] == nil, spikes.count <= 20,
      bounds.count == 2, spikes.allSatisfy({ bounds[0] <= $0 && $0 <= bounds[1] })
    else { return nil }
    self = .numbers(
      name, in: bounds[0]...bounds[1], places: places, isLogarithmic: log, spikes: spikes, missing: missing)
  }
}
