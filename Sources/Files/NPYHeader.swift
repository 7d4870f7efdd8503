import Tensors

/// What an array file says of itself: a Python dictionary of three entries, in ASCII.
struct NPYHeader {
  private(set) var type = ElementType.float32
  private(set) var isBigEndian = false
  private(set) var isFortranOrder = false
  private(set) var shape = Shape.scalar
  /// The byte at which the array starts.
  let start: Int

  /// The bytes that the array takes.
  var byteCount: Int { shape.count * type.byteCount }

  init(_ file: BinaryBytes) throws(FlowError) {
    let magic = try file.slice(0, count: min(6, file.count), "a header")
    guard magic.elementsEqual([0x93] + Array("NUMPY".utf8)) else {
      throw file.error(
        at: 0, "expected an array file, which begins with \"\\x93NUMPY\", got \(excerpt(ArraySlice(magic)))")
    }
    let version = try file.number(UInt8.self, at: 6, "a version")
    guard (1...3).contains(version) else {
      throw file.error(at: 6, "expected format version 1, 2 or 3, got \(version)")
    }
    let length: Int
    let headerStart: Int
    if version == 1 {
      length = Int(try file.number(UInt16.self, at: 8, "the header's length"))
      headerStart = 10
    } else {
      length = Int(try file.number(UInt32.self, at: 8, "the header's length"))
      headerStart = 12
    }
    guard length <= 1 << 16 else {
      throw file.error(at: 8, "expected a header of at most 65536 bytes, got \(length)")
    }
    start = headerStart + length
    let text = Array(try file.slice(headerStart, count: length, "a header"))
    var parser = Parser(text: text, base: headerStart, file: file)
    try read(&parser)
  }

  private mutating func read(_ parser: inout Parser) throws(FlowError) {
    var seen: Set<String> = []
    try parser.expect("{")
    while !parser.take("}") {
      let place = parser.place
      let key = try parser.string()
      guard seen.insert(key).inserted else {
        throw parser.error(at: place, "expected each key once, got \(excerpt(key)) again")
      }
      try parser.expect(":")
      switch key {
      case "descr": (type, isBigEndian) = try parser.type()
      case "fortran_order": isFortranOrder = try parser.boolean()
      case "shape": shape = try parser.shape()
      default:
        throw parser.error(
          at: place, "expected the keys descr, fortran_order and shape, got \(excerpt(key))")
      }
      if !parser.take(",") {
        try parser.expect("}")
        break
      }
    }
    guard seen.count == 3 else {
      throw parser.error(
        at: parser.place,
        "expected the keys descr, fortran_order and shape, got \(seen.sorted().joined(separator: ", "))")
    }
  }

  /// As much of Python's literals as such headers have.
  private struct Parser {
    let text: [UInt8]
    let base: Int
    let file: BinaryBytes
    var place = 0

    func error(at place: Int, _ message: String) -> FlowError { file.error(at: base + place, message) }

    private mutating func skipBlanks() {
      while place < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[place]) { place += 1 }
    }

    /// Whether the text goes on with these characters, which are then behind.
    mutating func take(_ token: String) -> Bool {
      skipBlanks()
      guard text[place...].starts(with: token.utf8) else { return false }
      place += token.utf8.count
      return true
    }

    mutating func expect(_ token: String) throws(FlowError) {
      if take(token) { return }
      throw error(at: place, "expected \(excerpt(token)), got \(excerpt(text[place...].prefix(20)))")
    }

    mutating func string() throws(FlowError) -> String {
      skipBlanks()
      guard place < text.count, [0x22, 0x27].contains(text[place]),
        let end = text[(place + 1)...].firstIndex(of: text[place])
      else { throw error(at: place, "expected text in quotes, got \(excerpt(text[place...].prefix(20)))") }
      defer { place = end + 1 }
      return String(decoding: text[place + 1..<end], as: UTF8.self)
    }

    mutating func boolean() throws(FlowError) -> Bool {
      if take("True") { return true }
      try expect("False")
      return false
    }

    mutating func type() throws(FlowError) -> (ElementType, Bool) {
      skipBlanks()
      let start = place
      guard place < text.count, text[place] != 0x5B else {
        throw error(at: place, "expected one array of numbers, got records, which are not supported")
      }
      let name = try string()
      let types: [String: ElementType] = [
        "f2": .float16, "f4": .float32, "f8": .float64, "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64,
        "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64, "b1": .bool,
      ]
      guard let order = name.first, "<>|=".contains(order), let type = types[String(name.dropFirst())] else {
        throw error(
          at: start, "expected real or whole numbers such as \"<f4\" or \"<i8\", got \(excerpt(name))")
      }
      return (type, order == ">")
    }

    mutating func shape() throws(FlowError) -> Shape {
      try expect("(")
      let start = place
      var sizes: [Int] = []
      while !take(")") {
        sizes.append(try size())
        if !take(",") {
          try expect(")")
          break
        }
      }
      guard let shape = checkedShape(sizes) else {
        throw error(
          at: start, "expected at most 6 axes of at most 2^31-1 and 2^48 numbers, got \(excerpt("\(sizes)"))")
      }
      return shape
    }

    private mutating func size() throws(FlowError) -> Int {
      skipBlanks()
      let digits = text[place...].prefix { (0x30...0x39).contains($0) }
      guard !digits.isEmpty, digits.count < 18, let size = Int(String(decoding: digits, as: UTF8.self)) else {
        throw error(at: place, "expected a size, got \(excerpt(text[place...].prefix(20)))")
      }
      place += digits.count
      _ = text[place...].first == 0x4C ? take("L") : false  // Python 2 wrote long numbers so.
      return size
    }
  }
}
