/// A JSON value (RFC 8259), as in the header of safetensors files and in results for other programs.
package enum JSON: Sendable, Equatable {
  /// The value `null`.
  case null
  /// The value `true` or `false`.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// Any other number. NaN and infinities are written as `null`, since JSON lacks them.
  case number(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSON])
  /// An object: names and values in a fixed order.
  case object([Member])

  /// A member of an object: a name and its value.
  package struct Member: Sendable, Equatable {
    package let name: String
    package let value: JSON
    package init(_ name: String, _ value: JSON) { (self.name, self.value) = (name, value) }
  }

  /// The value with a name in an object, or nil.
  package subscript(name: String) -> JSON? {
    if case .object(let members) = self { return members.first { $0.name == name }?.value }
    return nil
  }

  /// The value as a string, or nil if it is none.
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  /// The value as a whole number, or nil if it is none.
  package var integer: Int? { if case .integer(let number) = self { number } else { nil } }
  /// The value as true or false, or nil if it is neither.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The value as a number, or nil if it is none.
  package var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
  /// The value as an array, or nil if it is none.
  package var array: [JSON]? { if case .array(let values) = self { values } else { nil } }

  /// An array of strings.
  package static func strings(_ texts: [String]) -> JSON { .array(texts.map(JSON.string)) }

  /// An object of strings, sorted by name.
  package static func strings(_ texts: [String: String]) -> JSON {
    .object(texts.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
  }

  /// The value as text on one line.
  package var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let number): String(number)
    case .number(let number): number.isFinite ? "\(number)" : "null"
    case .string(let text): JSON.quoted(text)
    case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { "\(JSON.quoted($0.name)): \($0.value.text)" }.joined(separator: ", ") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\u{0}"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral text: String) { self = .string(text) }
  package init(integerLiteral number: Int) { self = .integer(number) }
  package init(floatLiteral number: Double) { self = .number(number) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral values: JSON...) { self = .array(values) }
  package init(dictionaryLiteral members: (String, JSON)...) {
    self = .object(members.map { Member($0.0, $0.1) })
  }
}
