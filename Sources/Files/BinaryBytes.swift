import Tensors

/// The bytes of a file with little-endian numbers. Its errors state the position.
struct BinaryBytes {
  let bytes: UnsafeRawBufferPointer
  /// The name of the file in errors.
  let source: String

  var count: Int { bytes.count }

  /// Calls `body` with the bytes of an array in place.
  static func with<Result>(
    _ bytes: [UInt8], source: String, _ body: (BinaryBytes) throws(FlowError) -> Result
  ) throws(FlowError) -> Result {
    try bytes.withUnsafeBufferPointer { (buffer) throws(FlowError) in
      try body(BinaryBytes(bytes: UnsafeRawBufferPointer(buffer), source: source))
    }
  }

  /// The little-endian number in `count` bytes from `offset` on.
  func number(at offset: Int, count: Int, _ what: String) throws(FlowError) -> Int {
    try slice(offset, count: count, what).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The bytes of a range.
  func slice(_ offset: Int, count: Int, _ what: String) throws(FlowError) -> UnsafeRawBufferPointer {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      let left = offset >= 0 && offset <= bytes.count ? bytes.count - offset : 0
      throw error(at: offset, "expected \(what) of \(count) bytes, got \(left) to the end of the file")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  /// The UTF-8 text of a range.
  func text(_ offset: Int, count: Int, _ what: String) throws(FlowError) -> String {
    let content = try slice(offset, count: count, what)
    guard let text = String(validating: content, as: UTF8.self) else {
      throw error(at: offset, "expected \(what) in UTF-8, got \(excerpt(ArraySlice(content)))")
    }
    return text
  }

  /// An error at a byte, counted from 0.
  func error(at offset: Int, _ message: String) -> FlowError {
    .inFile(source, "at byte \(offset): \(message)")
  }
}

extension FlowError {
  /// An error in a file, with its row and column counted from 1 where they are known.
  package static func inFile(
    _ path: String, row: Int? = nil, column: Int? = nil, _ message: String
  ) -> FlowError {
    .file(path: path, row: row, column: column, message: message)
  }
}

/// The shape with sizes that a file states, or nil for sizes that no array has.
///
/// The check comes before any memory is requested, so a false size cannot exhaust it.
func checkedShape(_ sizes: [Int]) -> Shape? {
  guard sizes.count <= Shape.maximumRank else { return nil }
  var product = 1
  for size in sizes {
    guard size >= 0, size <= Int(Int32.max) else { return nil }
    let (next, overflow) = product.multipliedReportingOverflow(by: max(size, 1))
    guard !overflow, next < 1 << 48 else { return nil }
    product = next
  }
  return Shape(sizes)
}

/// The lowest bytes of a number, least significant first.
func littleEndian(_ number: Int, bytes: Int) -> [UInt8] {
  (0..<bytes).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
