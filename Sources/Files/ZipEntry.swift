import Tensors

/// A member of a zip archive, as the central directory describes it (PKWARE's APPNOTE, 4.3).
struct ZipEntry {
  let name: String
  /// The byte of the member's entry in the directory.
  let place: Int
  /// The expanded size in bytes.
  let size: Int
  private let packedSize, offset, method, check: Int

  /// Reads the members of an archive, in the directory's order.
  static func directory(of file: BinaryBytes) throws(FlowError) -> [ZipEntry] {
    let end = try endRecord(of: file)
    let count = try file.number(at: end + 10, count: 2, "a number of members")
    var place = try file.number(at: end + 16, count: 4, "the directory's place")
    if count == 0xFFFF || place == 0xFFFF_FFFF {
      throw file.error(
        at: end, "expected a zip file below 4 GiB and 65535 members, got one in zip64's format")
    }
    var entries: [ZipEntry] = []
    for _ in 0..<count {
      let (entry, next) = try ZipEntry.read(file, at: place)
      entries.append(entry)
      place = next
    }
    guard place <= end else { throw file.error(at: end, "expected the directory's end, got more of it") }
    return entries
  }

  /// Finds the end record, after which only a comment may follow.
  private static func endRecord(of file: BinaryBytes) throws(FlowError) -> Int {
    let last = file.count - 22
    for place in stride(from: last, through: max(0, last - 0xFFFF), by: -1) where file.bytes[place] == 0x50 {
      if try file.number(at: place, count: 4, "a record") == 0x0605_4B50 { return place }
    }
    throw file.error(at: 0, "expected a zip file, got one without a directory at its end")
  }

  private static func read(_ file: BinaryBytes, at place: Int) throws(FlowError) -> (ZipEntry, next: Int) {
    func number(_ offset: Int, _ count: Int) throws(FlowError) -> Int {
      try file.number(at: place + offset, count: count, "a directory's entry")
    }
    guard try number(0, 4) == 0x0201_4B50 else {
      throw file.error(at: place, "expected a directory's entry, got something else")
    }
    let (nameLength, extraLength, commentLength) = (try number(28, 2), try number(30, 2), try number(32, 2))
    let name = try file.text(place + 46, count: nameLength, "a member's name")
    let (packedSize, size, offset) = (try number(20, 4), try number(24, 4), try number(42, 4))
    guard ![packedSize, size, offset].contains(0xFFFF_FFFF) else {
      throw file.error(at: place, "expected a member below 4 GiB, got \(excerpt(name)) in zip64's format")
    }
    guard try number(8, 2) & 1 == 0 else {
      throw file.error(at: place, "expected members in the clear, got \(excerpt(name)) encrypted")
    }
    let method = try number(10, 2)
    guard method == 0 || method == 8 else {
      throw file.error(
        at: place, "expected members stored (0) or deflated (8), got \(excerpt(name)) by method \(method)")
    }
    let entry = ZipEntry(
      name: name, place: place, size: size, packedSize: packedSize, offset: offset, method: method,
      check: try number(16, 4))
    return (entry, place + 46 + nameLength + extraLength + commentLength)
  }

  /// Reads the member's content, expands it and checks its checksum.
  func content(in file: BinaryBytes) throws(FlowError) -> [UInt8] {
    guard try file.number(at: offset, count: 4, "a member") == 0x0403_4B50 else {
      throw file.error(at: offset, "expected the member \(excerpt(name)), got something else")
    }
    // The local header may omit the sizes, and its name and extra field may differ in length from the
    // directory's.
    let nameLength = try file.number(at: offset + 26, count: 2, "a member")
    let start = try offset + 30 + nameLength + file.number(at: offset + 28, count: 2, "a member")
    let packed = try file.slice(start, count: packedSize, "the member \(excerpt(name))")
    let content: [UInt8]
    if method == 0 {
      guard size == packedSize else {
        throw file.error(at: place, "expected a stored member of \(packedSize) bytes, got \(size)")
      }
      content = Array(packed)
    } else {
      do throws(Inflate.Failure) { content = try Inflate.inflated(packed, count: size) } catch {
        throw file.error(
          at: start + error.offset, "\(error.message), in the deflated member \(excerpt(name))")
      }
    }
    let found = Int(crc32(content))
    guard found == check else {
      throw file.error(
        at: start,
        "expected the checksum \(String(check, radix: 16)), got \(String(found, radix: 16)), "
          + "in the member \(excerpt(name))")
    }
    return content
  }
}
