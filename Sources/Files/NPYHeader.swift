import Tensors

/// The header of an array file: a Python dictionary of three entries, in ASCII.
struct NPYHeader {
  private(set) var type = ElementType.f32
  private(set) var isBigEndian = false
  private(set) var isFortranOrder = false
  private(set) var shape = Shape.scalar
  /// The byte at which the array starts.
  let start: Int

  /// The size of the array in bytes.
  var byteCount: Int { shape.count * type.byteCount }

  /// The numbers of the array, or an error if the file is too short.
  func elements(in file: BinaryBytes) throws(FlowError) -> Elements {
    try Elements(
      type, in: file, at: start, count: byteCount, "an array of \(shape)", isBigEndian: isBigEndian)
  }

  init(_ file: BinaryBytes) throws(FlowError) {
    let magic = try file.slice(0, count: min(6, file.count), "a header")
    guard magic.elementsEqual([0x93] + Array("NUMPY".utf8)) else {
      throw file.error(
        at: 0, "expected an array file, which begins with \"\\x93NUMPY\", got \(excerpt(ArraySlice(magic)))")
    }
    let version = try file.number(at: 6, count: 1, "a version")
    guard (1...3).contains(version) else {
      throw file.error(at: 6, "expected format version 1, 2 or 3, got \(version)")
    }
    let headerStart = version == 1 ? 10 : 12
    let length = try file.number(at: 8, count: headerStart - 8, "the header's length")
    guard length <= 1 << 16 else {
      throw file.error(at: 8, "expected a header of at most 65536 bytes, got \(length)")
    }
    start = headerStart + length
    let text = Array(try file.slice(headerStart, count: length, "a header"))
    var parser = Parser(cursor: TextCursor(text: text), base: headerStart, file: file)
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
        throw parser.error(at: place, "expected the keys descr, fortran_order and shape, got \(excerpt(key))")
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

  /// A parser of the Python literals that such headers use.
  private struct Parser {
    var cursor: TextCursor
    let base: Int
    let file: BinaryBytes
    var place: Int { cursor.place }

    func error(at place: Int, _ message: String) -> FlowError { file.error(at: base + place, message) }

    mutating func take(_ token: String) -> Bool { cursor.take(token) }

    mutating func expect(_ token: String) throws(FlowError) {
      if take(token) { return }
      throw error(at: place, "expected \(excerpt(token)), got \(cursor.excerptOfRest)")
    }

    mutating func string() throws(FlowError) -> String {
      cursor.skipBlanks()
      guard place < cursor.text.count, [0x22, 0x27].contains(cursor.text[place]),
        let end = cursor.text[(place + 1)...].firstIndex(of: cursor.text[place])
      else { throw error(at: place, "expected text in quotes, got \(cursor.excerptOfRest)") }
      defer { cursor.place = end + 1 }
      return String(decoding: cursor.text[place + 1..<end], as: UTF8.self)
    }

    mutating func boolean() throws(FlowError) -> Bool {
      if take("True") { return true }
      try expect("False")
      return false
    }

    mutating func type() throws(FlowError) -> (ElementType, Bool) {
      cursor.skipBlanks()
      let start = place
      guard place < cursor.text.count, cursor.text[place] != 0x5B else {
        throw error(at: place, "expected one array of numbers, got records, which are not supported")
      }
      let name = try string()
      let types: [String: ElementType] = [
        "f2": .f16, "f4": .f32, "f8": .f64, "b1": .bool, "i1": .i8, "i2": .i16, "i4": .i32, "i8": .i64,
        "u1": .u8, "u2": .u16, "u4": .u32, "u8": .u64,
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
      cursor.skipBlanks()
      let digits = cursor.rest.prefix { (0x30...0x39).contains($0) }
      guard !digits.isEmpty, digits.count < 18, let size = Int(String(decoding: digits, as: UTF8.self)) else {
        throw error(at: place, "expected a size, got \(cursor.excerptOfRest)")
      }
      cursor.place += digits.count
      _ = cursor.rest.first == 0x4C ? take("L") : false  // Python 2 wrote long numbers so.
      return size
    }
  }
}
