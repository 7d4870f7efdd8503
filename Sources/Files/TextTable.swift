import Tensors

/// A table of texts and numbers from separated values, with every field as the file has it.
///
/// ```swift
/// let table = try TextTable.read("people.csv")
/// table.names                              // ["name", "age", "height"]
/// table.text(row: 0, column: 0)            // "Ada"
/// let x = try table.numbers(columns: [1, 2])   // float64, shape [rows, 2]
/// ```
///
/// The format is that of ``CSV``. The reader finds the separator, the decimal mark and the header, or takes
/// them from ``Options``. Text is in UTF-8 or UTF-16. A field stays text until it is asked for as a number,
/// so nothing is rounded or lost.
///
/// Every column has a name. One without a name in the file is called `#1`, `#2` and so on by its position.
public struct TextTable: Sendable {
  /// The rules for reading a file.
  public struct Options: Sendable, Hashable {
    /// The character between two fields. Nil: the one that gives all records the same number of fields.
    public var separator: CSV.Separator?
    /// The mark before a fraction. Nil: a comma if numbers have it, and none has a point.
    public var decimalMark: CSV.DecimalMark?
    /// The interpretation of the first line.
    public var header: CSV.Header
    /// Names that a header is known to have. A first line with all of them is a header.
    public var knownNames: [String] = []

    /// Rules for reading a file; by default the reader finds them.
    public init(
      separator: CSV.Separator? = nil, decimalMark: CSV.DecimalMark? = nil, header: CSV.Header = .automatic
    ) {
      (self.separator, self.decimalMark, self.header) = (separator, decimalMark, header)
    }
  }

  /// A finding about a file that a user may want to know.
  public enum Remark: Sendable, Hashable {
    /// The first line is data, because it holds numbers.
    case noHeader
    /// The first line is a header, although it holds numbers, because it has text above numbers.
    case numbersInHeader
    /// Numbers have a comma as their decimal mark.
    case decimalComma
  }

  /// A reason to leave a column out.
  public enum Incidental: Sendable, Hashable {
    /// The column has no name, or pandas' name for such a column, and numbers or labels the rows.
    case index
    /// All fields are empty, and the column has no name.
    case empty
  }

  /// The content of a field.
  public enum Value: Sendable, Hashable {
    /// A finite number.
    case number(Double)
    /// A number that float64 cannot hold.
    case outOfRange
    /// An infinity or NaN by its name.
    case notFinite
    /// Nothing, or blanks alone.
    case empty
    /// Any other text.
    case text
  }

  /// The column names: those of the header, and `#n` for column n without one.
  public let names: [String]
  /// Whether the names are those of a header.
  public let hasHeader: Bool
  /// The separator of the first file.
  public let separator: CSV.Separator
  /// Findings about the files.
  public internal(set) var remarks: [Remark] = []
  /// The columns that hold no data, with the reason.
  public internal(set) var incidental: [Int: Incidental] = [:]

  /// The content of a field as a range of bytes, and whether quotes enclose it.
  struct Place {
    /// The first byte, and the number of bytes times 2, plus 1 for quotes.
    var start, code: Int

    init(_ field: CSVFields.Field) {
      start = field.range.lowerBound
      code = field.range.count << 1 | (field.isQuoted ? 1 : 0)
    }

    var range: Range<Int> { start..<start + code >> 1 }
    var isQuoted: Bool { code & 1 == 1 }
  }

  /// One of the files.
  struct Part {
    let source: String
    let firstRow: Int
    let decimalMark: CSV.DecimalMark
    /// The file's column for each column of the table, counted from 1.
    let columns: [Int]
  }

  var bytes: [UInt8]
  /// The fields of all rows, row after row.
  var places: [Place]
  /// The line of each row in its file, counted from 1.
  var lines: [Int]
  var parts: [Part]

  /// The number of rows.
  public var rows: Int { lines.count }
  /// The number of columns.
  public var width: Int { names.count }

  /// The text of a field, without enclosing quotes and without blanks around unquoted text.
  public func text(row: Int, column: Int) -> String {
    let place = places[row * width + column]
    return CSVFields.text(of: bytes[place.range], isQuoted: place.isQuoted)
  }

  /// Whether quotes enclose a field in the file. `""` is an empty text rather than a missing value.
  public func isQuoted(row: Int, column: Int) -> Bool { places[row * width + column].isQuoted }

  /// The content of a field.
  public func value(row: Int, column: Int) -> Value {
    Value(DecimalText(bytes[places[row * width + column].range], mark: part(of: row).decimalMark))
  }

  /// The file of a row and its line there, counted from 1.
  public func origin(ofRow row: Int) -> (file: String, line: Int) { (part(of: row).source, lines[row]) }

  /// An error at a field.
  public func error(row: Int, column: Int, _ message: String) -> FlowError {
    let part = part(of: row)
    return .inFile(part.source, row: lines[row], column: part.columns[column], message)
  }

  /// The numbers of some columns as float64, shape [rows, columns.count].
  ///
  /// - Throws: `FlowError.file` at the first field that is no finite number.
  /// - Precondition: The columns exist, and there is at least one.
  public func numbers(columns: [Int]) throws(FlowError) -> Tensor {
    require(!columns.isEmpty, "a table of numbers has at least one column")
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns.count)
    guard !overflow, count <= Int(Int32.max) else {
      throw .inFile(parts[0].source, "expected at most \(Int32.max) numbers, got more")
    }
    return try Tensor(shape: [rows, columns.count]) {
      (numbers: UnsafeMutablePointer<Double>) throws(FlowError) in
      var next = numbers
      for (i, part) in parts.enumerated() {
        let end = i + 1 < parts.count ? parts[i + 1].firstRow : rows
        for row in part.firstRow..<end {
          for column in columns {
            let field = bytes[places[row * width + column].range]
            guard case .number(let number) = DecimalText<Double>(field, mark: part.decimalMark) else {
              throw misfit(row, column)
            }
            next.pointee = number
            next += 1
          }
        }
      }
    }
  }

  /// The error of a field that is no finite number.
  private func misfit(_ row: Int, _ column: Int) -> FlowError {
    let got = excerpt(bytes[places[row * width + column].range])
    let name = excerpt(names[column])
    let message =
      switch value(row: row, column: column) {
      case .number, .text: "expected a number in \(name), got \(got)"
      case .empty: "expected a number in \(name), got an empty field"
      case .notFinite: "expected a finite number in \(name), got \(got)"
      case .outOfRange: "expected a number in the range of float64 in \(name), got \(got)"
      }
    return error(row: row, column: column, message)
  }

  /// The last part that begins at a row or before it.
  private func part(of row: Int) -> Part {
    var (low, high) = (0, parts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if parts[middle].firstRow <= row { low = middle } else { high = middle }
    }
    return parts[low]
  }
}

extension TextTable.Value {
  fileprivate init(_ text: DecimalText<Double>) {
    self =
      switch text {
      case .number(let number): .number(number)
      case .empty: .empty
      case .notFinite: .notFinite
      case .outOfRange: .outOfRange
      case .text: .text
      }
  }
}
