import Tensors

extension CSVFields {
  /// The text of a field, without doubled quotes and without blanks around unquoted text.
  func text(of field: Field) -> String { Self.text(of: bytes[field.range], isQuoted: field.isQuoted) }

  /// The text of a field's content.
  static func text(of content: ArraySlice<UInt8>, isQuoted: Bool) -> String {
    guard isQuoted else { return String(decoding: content.trimmingBlanks, as: UTF8.self) }
    var text: [UInt8] = []
    var followsQuote = false  // Quotes come in pairs, of which one is kept.
    for byte in content {
      followsQuote = byte == quote && !followsQuote
      if byte != quote || followsQuote { text.append(byte) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The number in a field.
  func number<Number: DecimalScalar>(in field: Field) throws(FlowError) -> Number {
    let content = bytes[field.range]
    switch DecimalText<Number>(content) {
    case .number(let number): return number
    case .empty: throw error(at: field, "expected a number, got an empty field")
    case .text: throw error(at: field, "expected a number, got \(excerpt(content))")
    case .notFinite: throw error(at: field, "expected a finite number, got \(excerpt(content))")
    case .outOfRange:
      throw error(at: field, "expected a number in the range of \(Number.dtype), got \(excerpt(content))")
    }
  }
}

/// The beginning of a text in quotes for an error, with control characters escaped.
package func excerpt(_ text: String) -> String { excerpt(ArraySlice(text.utf8.prefix(200))) }

/// The beginning of a field in quotes for an error, with control characters and invalid bytes escaped.
func excerpt(_ bytes: ArraySlice<UInt8>) -> String {
  let limit = 40
  let shown = bytes.prefix(limit * 4)
  var result = "\""
  guard let text = String(validating: shown, as: UTF8.self) else {
    for byte in shown.prefix(limit) {
      let isPlain = (0x20..<0x7F).contains(byte)
      result += isPlain ? String(UnicodeScalar(byte)) : (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16)
    }
    return result + (bytes.count > limit ? "…\"" : "\"")
  }
  for scalar in text.unicodeScalars.prefix(limit) {
    let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
    result += isControl ? scalar.escaped(asASCII: true) : String(scalar)
  }
  return result + (text.unicodeScalars.count > limit || shown.count < bytes.count ? "…\"" : "\"")
}

extension ArraySlice<UInt8> {
  /// The slice without spaces and tabs at both ends.
  var trimmingBlanks: ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    var slice = self
    while let first = slice.first, isBlank(first) { slice.removeFirst() }
    while let last = slice.last, isBlank(last) { slice.removeLast() }
    return slice
  }
}
