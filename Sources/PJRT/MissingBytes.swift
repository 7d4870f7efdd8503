#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The number of bytes that a library lacks at its end; nil for a whole one and for any other file.
///
/// Loading a library that is cut off, by a download for instance, ends the process with a bus error. A
/// library in ELF's 64-bit form lists its sections at the end. Its first 64 bytes say where, and how many.
func missingBytes(ofLibrary path: String) -> Int? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var (info, header) = (stat(), [UInt8](repeating: 0, count: 64))
  guard fstat(descriptor, &info) == 0, read(descriptor, &header, 64) == 64,
    header.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
  else { return nil }
  func number(_ start: Int, _ size: Int) -> Int {
    header[start..<start + size].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
  let (sections, own) = (number(0x28, 6), number(0x3A, 2) * number(0x3C, 2))
  let missing = sections + own - Int(info.st_size)
  return missing > 0 ? missing : nil
}
