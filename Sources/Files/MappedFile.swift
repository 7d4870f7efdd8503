import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A memory-mapped file. The system reads its bytes on first access.
final class MappedFile: @unchecked Sendable {
  /// The bytes, which are valid while this object exists.
  let bytes: UnsafeRawBufferPointer

  init(_ path: String) throws(FlowError) {
    try FileBytes.checkName(path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileBytes.unreadable(path, errno) }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw FileBytes.unreadable(path, errno) }
    if info.st_mode & S_IFMT == S_IFDIR { throw FileBytes.unreadable(path, EISDIR) }
    let size = Int(info.st_size)
    guard size > 0 else {  // The system cannot map an empty file.
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw FileBytes.unreadable(path, errno)
    }
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }
}
