import Tensors

/// The values of some columns that draws are to have.
struct GivenCells {
  /// The codes by the position among the columns with codes.
  private(set) var codes: [Int: Int] = [:]
  /// The cells [1, 2] in the flow's units, by the position among the columns with numbers.
  private(set) var cells: [(position: Int, low: Double, high: Double)] = []
  /// The logarithms of the cells' lengths, or of the slopes of the maps to the flow's units, summed.
  private(set) var logScale = 0.0
  /// The texts by the position of the column; nil for a missing value.
  private(set) var texts: [Int: String?] = [:]

  /// Reads the texts of columns by name.
  ///
  /// - Throws: `FlowError.mismatch` for an unknown column, and for a text that does not fit its column.
  init(_ given: [String: String], of schema: TableSchema) throws(FlowError) {
    let given = try GivenCells.sources(of: given, in: schema)
    for (name, text) in given.sorted(by: { $0.key < $1.key }) {
      let position = schema.names.firstIndex(of: name)!
      let column = schema.columns[position]
      switch column.cell(Field(text)) {
      case .failure(let message): throw .verification(who: "given", message: message.text)
      case .success(let cell):
        let codePosition = schema.coded.firstIndex(of: position)
        switch cell {
        case .code(let code):
          if let codePosition { codes[codePosition] = code }
          texts[position] = .some(column.text(code: code, number: 0))
        case .number(let x):
          if let codePosition { codes[codePosition] = 0 }
          let (low, high, term) = column.scale!.intervals(Tensor([x], dtype: .float64))
          logScale += term.doubles[0]
          cells.append((schema.numbered.firstIndex(of: position)!, low.doubles[0], high.doubles[0]))
          texts[position] = .some(column.scale!.text(x))
        }
      }
    }
    cells.sort { $0.position < $1.position }
  }

  /// The same values, with those of sources in the place of columns that follow from them.
  private static func sources(
    of given: [String: String], in schema: TableSchema
  ) throws(FlowError) -> [String: String] {
    var result = given
    for (name, text) in given.sorted(by: { $0.key < $1.key }) {
      guard let column = schema.columns.first(where: { $0.name == name }) else {
        throw .mismatch(
          who: "given", what: "a column", expected: "among \(schema.names.joined(separator: ", "))", got: name
        )
      }
      guard let source = schema.source(of: column).map({ schema.columns[$0] }) else { continue }
      result[name] = nil
      if let other = given[source.name] {
        if let message = column.misfit(Field(text), from: Field(other), in: source) {
          throw .verification(who: "given", message: message.text)
        }
        continue
      }
      switch column.sourceText(of: Field(text), in: source) {
      case .failure(let message): throw .verification(who: "given", message: message.text)
      case .success(let found):
        if let other = result.updateValue(found, forKey: source.name), other != found {
          throw .verification(
            who: "given", message: "expected one value of \(source.quoted), got \(other) and \(found)")
        }
      }
    }
    return result
  }
}
