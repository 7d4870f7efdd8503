import Tensors

/// A NumPy archive of named arrays, `.npz`: a zip file of ``NPY`` members.
///
/// ```swift
/// let archive = try NPZ.read("data.npz")       // numpy.savez or savez_compressed
/// let x = archive["x"]                          // Tensor?
/// try NPZ(["x": x, "labels": y]).write(to: "copy.npz")
/// ```
///
/// Members may be stored or deflated, and their CRC-32 is checked. The expanded size has a limit, so that a
/// small file cannot exhaust memory. Encrypted archives and archives that need zip64 (4 GiB or 65,535
/// members) are errors.
public struct NPZ: Sendable {
  /// The arrays under their names, in the archive's order.
  public let members: [(name: String, value: Tensor)]

  /// Makes an archive of named arrays.
  ///
  /// - Precondition: The names differ, and there are at most 65,534.
  public init(_ members: KeyValuePairs<String, Tensor>) { self.init(members.map { ($0.key, $0.value) }) }

  /// Makes an archive of a list of named arrays.
  ///
  /// - Precondition: The names differ, and there are at most 65,534.
  public init(_ members: [(name: String, value: Tensor)]) {
    require(Set(members.map(\.name)).count == members.count, "the members of an archive have different names")
    require(members.count < 0xFFFF, "an archive has at most 65534 members, got \(members.count)")
    self.members = members
  }

  /// The array with a name, or nil.
  public subscript(name: String) -> Tensor? { members.first { $0.name == name }?.value }

  /// Reads the arrays of a file.
  ///
  /// - Parameters:
  ///   - path: The file's path.
  ///   - dtype: The dtype of the arrays; by default that of the table in ``NPY``.
  ///   - limit: The largest expanded size of all members together in bytes, 1 GiB by default.
  /// - Throws: `FlowError.file` with the byte of the first error in the file.
  public static func read(_ path: String, dtype: DType? = nil, limit: Int = 1 << 30) throws(FlowError) -> NPZ
  {
    try parse(bytes: FileBytes.read(path), dtype: dtype, limit: limit, source: path)
  }

  /// Parses the arrays of a file's bytes, as ``read(_:dtype:limit:)`` does. Errors name the bytes `source`.
  public static func parse(
    bytes: [UInt8], dtype: DType? = nil, limit: Int = 1 << 30, source: String = "archive"
  ) throws(FlowError) -> NPZ {
    try BinaryBytes.with(bytes, source: source) { (file) throws(FlowError) in
      var members: [(name: String, value: Tensor)] = []
      var names: Set<String> = []
      var left = limit
      for entry in try ZipEntry.directory(of: file) {
        guard entry.name.hasSuffix(".npy"), names.insert(entry.name).inserted else {
          throw file.error(
            at: entry.place, "expected a member of another name that ends in .npy, got \(excerpt(entry.name))"
          )
        }
        guard entry.size <= left else {
          throw file.error(
            at: entry.place,
            "expected members that expand to at most \(limit) bytes, "
              + "got \(entry.size) more for \(excerpt(entry.name))")
        }
        left -= entry.size
        let value = try NPY.parse(
          bytes: entry.content(in: file), dtype: dtype, source: "\(source), member \(excerpt(entry.name))")
        members.append((String(entry.name.dropLast(4)), value))
      }
      return NPZ(members)
    }
  }

  /// Writes the archive to a file atomically and without compression, as `numpy.savez` does.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written or needs zip64.
  public func write(to path: String) throws(FlowError) {
    let bytes = bytes
    guard bytes.count < 0xFFFF_FFFF else {
      throw .inFile(path, "expected an archive below 4 GiB, got \(bytes.count) bytes")
    }
    try FileBytes.write(bytes, to: path)
  }

  /// The bytes of the archive.
  public var bytes: [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for (name, value) in members {
      let content = NPY.bytes(of: value)
      let (name, offset) = (Array((name + ".npy").utf8), file.count)
      // Version 2.0, names in UTF-8, no compression, and the first day of 1980 as the date.
      let common =
        words16([20, 0x800, 0, 0, 0x21]) + words32([Int(crc32(content)), content.count, content.count])
        + words16([name.count, 0])
      file += words32([0x0403_4B50]) + common + name + content
      directory +=
        words32([0x0201_4B50]) + words16([20]) + common + words16([0, 0, 0]) + words32([0, offset]) + name
    }
    return file + directory + words32([0x0605_4B50]) + words16([0, 0, members.count, members.count])
      + words32([directory.count, file.count]) + words16([0])
  }

  private func words16(_ numbers: [Int]) -> [UInt8] { numbers.flatMap { littleEndian($0, bytes: 2) } }
  private func words32(_ numbers: [Int]) -> [UInt8] { numbers.flatMap { littleEndian($0, bytes: 4) } }
}
