import Tensors

extension FileBytes {
  /// Reads the content of a file: standard input for the path `-`, and the expanded bytes of a gzip file.
  ///
  /// - Parameters:
  ///   - path: The file's path.
  ///   - limit: The largest expanded size in bytes, 4 GiB by default.
  package static func readContent(_ path: String, limit: Int = 1 << 32) throws(FlowError) -> [UInt8] {
    let bytes = path == "-" ? try readStandardInput() : try read(path)
    return try content(of: bytes, limit: limit, source: displayed(path))
  }

  /// The expanded bytes of a gzip file, or other bytes as they are.
  package static func content(
    of bytes: [UInt8], limit: Int = 1 << 32, source: String
  ) throws(FlowError) -> [UInt8] {
    Gzip.matches(bytes) ? try Gzip.expanded(bytes, limit: limit, source: source) : bytes
  }

  /// The name of a file in messages.
  package static func displayed(_ path: String) -> String { path == "-" ? "standard input" : path }
}

/// Turns the bytes of a text into UTF-8 without a byte order mark.
///
/// - Throws: `FlowError.file` for another encoding and for files that are no text.
func utf8(_ bytes: [UInt8], source: String) throws(FlowError) -> [UInt8] {
  if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) {
    throw .inFile(source, "expected text in UTF-8 or UTF-16, got UTF-32; save it as UTF-8")
  }
  if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
    return try utf8(fromUTF16: bytes, source: source)
  }
  let kinds: [(start: [UInt8], kind: String, advice: String)] = [
    (
      [0x50, 0x4B, 3, 4], "a zip archive or a workbook", "save the sheet as CSV"
    ),
    (Array("PAR1".utf8), "a Parquet file", "write it as CSV"), (Array("%PDF".utf8), "a PDF file", "use CSV"),
    (Array("<!DOCTYPE".utf8), "a web page", "download the file itself"),
    (Array("<html".utf8), "a web page", "download the file itself"),
    (Array("\u{7F}ELF".utf8), "a program", "use CSV"), ([0x89, 0x50, 0x4E, 0x47], "a picture", "use CSV"),
    ([0xD0, 0xCF, 0x11, 0xE0], "an old workbook", "save the sheet as CSV"),
  ]
  if let (_, kind, advice) = kinds.first(where: { bytes.starts(with: $0.start) }) {
    throw .inFile(source, "expected a table as text, got \(kind); \(advice)")
  }
  if let zero = bytes.prefix(1 << 16).firstIndex(of: 0) {
    throw .inFile(
      source, "expected text in UTF-8, got a zero at byte \(zero): binary data, or UTF-16 without its mark")
  }
  return bytes
}

private func utf8(fromUTF16 bytes: [UInt8], source: String) throws(FlowError) -> [UInt8] {
  let isBig = bytes[0] == 0xFE
  guard bytes.count % 2 == 0 else {
    throw .inFile(source, "expected an even number of bytes in UTF-16, got \(bytes.count)")
  }
  let units = stride(from: 2, to: bytes.count, by: 2).map { place in
    UInt16(bytes[place + (isBig ? 0 : 1)]) << 8 | UInt16(bytes[place + (isBig ? 1 : 0)])
  }
  guard let text = String(validating: units, as: UTF16.self) else {
    throw .inFile(source, "expected UTF-16, as the mark at the start says, got an unpaired surrogate")
  }
  return Array(text.utf8)
}
