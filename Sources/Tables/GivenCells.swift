import Tensors

/// The values of some columns that draws are to have.
struct GivenCells {
  /// The codes by the position among the columns with codes.
  private(set) var codes: [Int: Int] = [:]
  /// The cells [1, 2] in the flow's units, by the position among the columns with numbers.
  private(set) var cells: [(position: Int, low: Double, high: Double)] = []
  /// The texts by the position of the column; nil for a missing value.
  private(set) var texts: [Int: String?] = [:]

  /// Reads the texts of columns by name.
  ///
  /// - Throws: `FlowError.mismatch` for an unknown column, and for a text that does not fit its column.
  init(_ given: [String: String], of schema: TableSchema) throws(FlowError) {
    for (name, text) in given.sorted(by: { $0.key < $1.key }) {
      guard let position = schema.names.firstIndex(of: name) else {
        throw .mismatch(
          who: "given", what: "a column", expected: "among \(schema.names.joined(separator: ", "))", got: name
        )
      }
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
          let (low, high, _) = column.scale!.intervals(Tensor([x], dtype: .float64))
          cells.append((schema.numbered.firstIndex(of: position)!, low.doubles[0], high.doubles[0]))
          texts[position] = .some(column.scale!.text(x))
        }
      }
    }
    cells.sort { $0.position < $1.position }
  }
}
