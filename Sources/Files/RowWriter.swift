import Tensors

/// Writes a table of numbers to a file piece by piece, so that it need not fit into memory.
///
/// The file has the bytes of the whole table written at once, and appears when it is complete. A writer that
/// is released before leaves nothing.
package final class RowWriter {
  private let file: PartialFile
  private let names: [String]?
  private let rows: Int
  private let separator: CSV.Separator?
  private var done = 0

  /// A writer of so many rows.
  ///
  /// - Parameter separator: the mark between the fields of a text; nil for a NumPy array.
  package init(
    _ path: String, names: [String]?, rows: Int, separator: CSV.Separator?
  ) throws(FlowError) {
    file = try PartialFile(path)
    (self.names, self.rows, self.separator) = (names, rows, separator)
  }

  /// Appends rows.
  package func append(_ piece: Tensor) throws(FlowError) {
    let isFirst = done == 0
    done += piece.rows
    require(done <= rows, "a file of \(rows) rows was given \(done)")
    if let separator {
      let text = CSV(names: isFirst ? names : nil, values: piece).text(separator: separator)
      return try file.append(Array(text.utf8))
    }
    if isFirst { try file.append(NPY.header(piece.shape.replacing(0, by: rows), piece.dtype)) }
    try file.append(littleEndianBytes(of: piece))
  }

  /// Puts the file in its place.
  ///
  /// - Precondition: all rows are appended.
  package func finish() throws(FlowError) {
    require(done == rows, "a file of \(rows) rows was given \(done)")
    try file.finish()
  }
}

/// A file that is written piece by piece, and takes its place when it is complete.
package final class PartialFile {
  private let path: String
  private let target: String
  private let descriptor: Int32
  /// The name of the temporary file; nil where the bytes go to a terminal or a pipe.
  private let temporary: String?
  private var isFinished = false

  /// Begins a file.
  package init(_ path: String) throws(FlowError) {
    self.path = path
    (target, descriptor, temporary) = try FileBytes.begin(path)
  }

  deinit {
    if !isFinished { FileBytes.abandon(descriptor, temporary) }
  }

  /// Appends bytes.
  package func append(_ bytes: [UInt8]) throws(FlowError) {
    guard FileBytes.put(bytes, descriptor) else {
      throw .inFile(path, "expected room for \(bytes.count) bytes more, got too little")
    }
  }

  /// Puts the file in its place.
  package func finish() throws(FlowError) {
    isFinished = true
    try FileBytes.finish(path, descriptor, temporary, target)
  }
}
