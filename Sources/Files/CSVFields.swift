import Tensors

/// A reader of the fields of a text. It handles quotes and line breaks and keeps the line and position.
struct CSVFields {
  /// A field: the range of its content, without surrounding quotes.
  struct Field {
    var range: Range<Int>
    /// The line on which the field starts and the field's position in its record, both counted from 1.
    var row, column: Int
    var isQuoted = false
    var endsRecord = false
  }

  let bytes: [UInt8]
  let separator: UInt8
  /// The name of the text in errors.
  let source: String

  private let end: Int
  private var position: Int
  /// The current line, counted from 1.
  private(set) var row = 1
  private var column = 1
  /// Whether the last byte was a separator. If so, an empty field follows even at the end.
  private var isInRecord = false

  init(_ bytes: [UInt8], separator: UInt8, source: String) {
    (self.bytes, self.separator, self.source) = (bytes, separator, source)
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var end = bytes.count
    while end > position, isLineBreak(bytes[end - 1]) { end -= 1 }
    self.end = end
  }

  /// Whether all records have been read.
  var isAtEnd: Bool { position == end && !isInRecord }

  /// Reads the next field.
  ///
  /// - Precondition: The reader is not at the end.
  mutating func next() throws(FlowError) -> Field {
    var field = Field(range: position..<position, row: row, column: column)
    if position < end, bytes[position] == quote {
      try scanQuoted(&field)
    } else {
      try scanPlain(&field)
    }
    let content = bytes[field.range]
    if content.contains(where: { $0 >= 0x80 }), String(validating: content, as: UTF8.self) == nil {
      throw error(at: field, "expected UTF-8, got the bytes \(excerpt(content))")
    }

    isInRecord = position < end && bytes[position] == separator
    field.endsRecord = !isInRecord
    if isInRecord {
      position += 1
      column += 1
    } else if position < end {
      skipLineBreak()
      column = 1
    }
    return field
  }

  /// Reads the rest of the current record.
  mutating func record() throws(FlowError) -> [Field] {
    var fields: [Field] = []
    repeat { fields.append(try next()) } while isInRecord
    return fields
  }

  /// An error at a field of this text.
  func error(at field: Field, _ message: String) -> FlowError {
    .inFile(source, row: field.row, column: field.column, message)
  }

  /// Moves to the end of a field without quotes.
  private mutating func scanPlain(_ field: inout Field) throws(FlowError) {
    while position < end, bytes[position] != separator, !isLineBreak(bytes[position]) {
      guard bytes[position] != quote else {
        throw error(at: field, "expected quotes around the whole field only, got one inside it")
      }
      position += 1
    }
    field.range = field.range.lowerBound..<position
  }

  /// Moves behind the closing quote.
  private mutating func scanQuoted(_ field: inout Field) throws(FlowError) {
    field.isQuoted = true
    position += 1
    let start = position
    while position < end {
      if bytes[position] == quote {
        guard position + 1 < end, bytes[position + 1] == quote else { break }
        position += 2
      } else if isLineBreak(bytes[position]) {
        skipLineBreak()
      } else {
        position += 1
      }
    }
    guard position < end else { throw error(at: field, "expected a closing quote, got the end of the file") }
    field.range = start..<position
    position += 1
    guard position == end || bytes[position] == separator || isLineBreak(bytes[position]) else {
      throw error(
        at: field,
        "expected the field to end at its closing quote, got \(excerpt(bytes[position..<position + 1]))")
    }
  }

  /// Moves behind LF, CR or CRLF.
  private mutating func skipLineBreak() {
    let isPair = bytes[position] == 0x0D && position + 1 < end && bytes[position + 1] == 0x0A
    position += isPair ? 2 : 1
    row += 1
  }
}

let quote: UInt8 = 0x22

private func isLineBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
