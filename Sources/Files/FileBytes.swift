import Foundation
import Tensors

/// Whole files, in and out.
enum FileBytes {
  /// The bytes of a file.
  static func read(_ path: String) throws(FlowError) -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      let got =
        !exists ? "nothing there" : isFolder.boolValue ? "a folder" : "one without permission to read it"
      throw .file(path: path, row: nil, column: nil, message: "expected a readable file, got \(got)")
    }
  }

  /// Writes a file by way of a temporary one beside it, so that a reader sees the old content or the new.
  static func write(_ bytes: [UInt8], to path: String) throws(FlowError) {
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw .file(path: path, row: nil, column: nil, message: "expected a place to write a file to, got none")
    }
  }
}
