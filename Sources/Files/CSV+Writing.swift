import Tensors

extension CSV {
  /// The table as text, with a header if the columns have names.
  ///
  /// Each number is written as the shortest text that reads back as the same value. NaN and infinities become
  /// `nan`, `inf` and `-inf`. Other programs read these; ``read(_:header:columns:separator:dtype:)`` throws
  /// an error.
  public func text(separator: Separator = .comma) -> String {
    let mark = String(UnicodeScalar(separator.rawValue))
    var text = ""
    if let names { text += names.map { CSV.quoted($0, separator: separator) }.joined(separator: mark) + "\n" }
    let numbers = values.dtype == .float32 ? values.floats.map(CSV.spelled) : values.doubles.map(CSV.spelled)
    let width = values.shape[1]
    for row in 0..<values.shape[0] {
      text += numbers[row * width..<(row + 1) * width].joined(separator: mark) + "\n"
    }
    return text
  }

  /// Writes the table to a file atomically.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written.
  public func write(to path: String, separator: Separator = .comma) throws(FlowError) {
    try FileBytes.write(Array(text(separator: separator).utf8), to: path)
  }

  /// The shortest spelling of a number, such as `5` instead of `5.0`.
  private static func spelled(_ number: some BinaryFloatingPoint & LosslessStringConvertible) -> String {
    let text = String(number)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// A text, in quotes if it would otherwise be read differently.
  package static func quoted(_ name: String, separator: Separator) -> String {
    let special: Set<UInt8> = [0x22, 0x0A, 0x0D, separator.rawValue]
    let blanks: Set<UInt8> = [0x20, 0x09, 0xEF]  // 0xEF begins a byte order mark.
    let bytes = Array(name.utf8)
    guard let first = bytes.first, let last = bytes.last else { return "\"\"" }
    guard blanks.contains(first) || blanks.contains(last) || bytes.contains(where: special.contains) else {
      return name
    }
    let doubled = bytes.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] }
    return "\"" + String(decoding: doubled, as: UTF8.self) + "\""
  }
}
