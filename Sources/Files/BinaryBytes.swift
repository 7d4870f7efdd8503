import Tensors

/// Bytes of a file with little-endian numbers, and errors that say at which byte.
struct BinaryBytes {
  let bytes: UnsafeRawBufferPointer
  /// What errors call the file.
  let source: String

  var count: Int { bytes.count }

  /// The little-endian number at a byte.
  func number<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int, _ what: String)
    throws(FlowError)
    -> Number
  {
    try check(offset, MemoryLayout<Number>.size, what)
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  /// The bytes of a range.
  func slice(_ offset: Int, count: Int, _ what: String) throws(FlowError) -> UnsafeRawBufferPointer {
    try check(offset, count, what)
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

  /// An error at a byte, from 0.
  func error(at offset: Int, _ message: String) -> FlowError {
    .file(path: source, row: nil, column: nil, message: "at byte \(offset): \(message)")
  }

  private func check(_ offset: Int, _ count: Int, _ what: String) throws(FlowError) {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      let left = offset >= 0 && offset <= bytes.count ? bytes.count - offset : 0
      throw error(at: offset, "expected \(what) of \(count) bytes, got \(left) to the end of the file")
    }
  }
}

/// The shape of a file's array, or what is wrong with its sizes: lies about them are found before memory is asked for.
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
