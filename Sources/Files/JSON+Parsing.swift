extension JSON {
  /// An error in a text that is not JSON.
  package struct Failure: Error {
    /// The byte of the error, counted from 0.
    package let offset: Int
    package let message: String
  }

  /// Parses a text. Names must be unique, and values nest at most 64 deep.
  package init(parsing text: [UInt8]) throws(Failure) {
    var parser = Parser(cursor: TextCursor(text: text))
    self = try parser.value(depth: 0)
    parser.cursor.skipBlanks()
    guard parser.cursor.rest.isEmpty else { throw parser.failure("expected the end") }
  }

  private struct Parser {
    var cursor: TextCursor

    func failure(_ message: String) -> Failure {
      Failure(offset: cursor.place, message: "\(message), got \(cursor.excerptOfRest)")
    }

    private mutating func take(_ token: String) -> Bool { cursor.take(token) }

    mutating func value(depth: Int) throws(Failure) -> JSON {
      guard depth < 64 else { throw failure("expected values nested at most 64 deep") }
      if take("{") { return .object(try members(depth: depth)) }
      if take("[") { return .array(try elements(depth: depth)) }
      if take("\"") { return .string(try string()) }
      if take("true") { return .bool(true) }
      if take("false") { return .bool(false) }
      if take("null") { return .null }
      return try number()
    }

    private mutating func members(depth: Int) throws(Failure) -> [Member] {
      var members: [Member] = []
      var names: Set<String> = []
      if take("}") { return members }
      repeat {
        guard take("\"") else { throw failure("expected a name in quotes") }
        let start = cursor.place
        let name = try string()
        guard names.insert(name).inserted else {
          throw Failure(offset: start, message: "expected each name once, got \(excerpt(name)) again")
        }
        guard take(":") else { throw failure("expected a colon") }
        members.append(Member(name, try value(depth: depth + 1)))
      } while take(",")
      guard take("}") else { throw failure("expected a comma or a closing brace") }
      return members
    }

    private mutating func elements(depth: Int) throws(Failure) -> [JSON] {
      var elements: [JSON] = []
      if take("]") { return elements }
      repeat { elements.append(try value(depth: depth + 1)) } while take(",")
      guard take("]") else { throw failure("expected a comma or a closing bracket") }
      return elements
    }

    private mutating func number() throws(Failure) -> JSON {
      let start = cursor.place
      func isPart(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) }
      let digits = cursor.rest.prefix(while: isPart)
      let content = String(decoding: digits, as: UTF8.self)
      let leading = content.drop { $0 == "-" }
      let startsWell =
        leading.first?.isNumber == true && content.prefix(2) != "--"
        && !(leading.hasPrefix("0") && leading.dropFirst().first?.isNumber == true)
      guard startsWell, digits.last.map({ (0x30...0x39).contains($0) }) == true, digits.count <= 64 else {
        throw failure("expected a value")
      }
      cursor.place = start + digits.count
      if let whole = Int(content) { return .integer(whole) }
      guard let real = Double(content), real.isFinite else {
        cursor.place = start
        throw failure("expected a number")
      }
      return .number(real)
    }

    /// Reads a text after its opening quote.
    private mutating func string() throws(Failure) -> String {
      var bytes: [UInt8] = []
      let start = cursor.place
      while cursor.place < cursor.text.count, cursor.text[cursor.place] != 0x22 {
        let byte = cursor.text[cursor.place]
        guard byte >= 0x20 else { throw failure("expected text without control characters") }
        cursor.place += 1
        guard byte == 0x5C else {
          bytes.append(byte)
          continue
        }
        bytes += Array(String(try escaped()).utf8)
      }
      guard cursor.place < cursor.text.count else { throw failure("expected a closing quote") }
      cursor.place += 1
      guard let result = String(validating: bytes, as: UTF8.self) else {
        throw Failure(offset: start, message: "expected UTF-8, got \(excerpt(bytes[...]))")
      }
      return result
    }

    private mutating func escaped() throws(Failure) -> Unicode.Scalar {
      guard cursor.place < cursor.text.count else { throw failure("expected a character") }
      let plain: [UInt8: Unicode.Scalar] = [
        0x22: "\"", 0x5C: "\\", 0x2F: "/", 0x62: "\u{8}", 0x66: "\u{C}", 0x6E: "\n", 0x72: "\r", 0x74: "\t",
      ]
      if let scalar = plain[cursor.text[cursor.place]] {
        cursor.place += 1
        return scalar
      }
      var code = try unit()
      if (0xD800..<0xDC00).contains(code), cursor.rest.starts(with: [0x5C]) {
        cursor.place += 1
        let low = try unit()
        guard (0xDC00..<0xE000).contains(low) else {
          throw failure("expected the second half of a character")
        }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("expected a character") }
      return scalar
    }

    /// Reads `u` and four hexadecimal digits.
    private mutating func unit() throws(Failure) -> UInt32 {
      let digits = cursor.rest.dropFirst().prefix(4)
      guard cursor.rest.first == 0x75, digits.count == 4, !digits.contains(0x2B), !digits.contains(0x2D),
        let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
      else { throw failure("expected an escape such as \\n or \\u00e9") }
      cursor.place += 5
      return code
    }
  }
}
