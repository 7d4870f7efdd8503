import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads and writes whole files through the system's calls.
package enum FileBytes {
  /// Reads the bytes of a file.
  package static func read(_ path: String) throws(FlowError) -> [UInt8] {
    try checkName(path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path, errno) }
    defer { close(descriptor) }
    return try read(descriptor, path)
  }

  /// Reads standard input to its end.
  package static func readStandardInput() throws(FlowError) -> [UInt8] { try read(0, "standard input") }

  private static func read(_ descriptor: Int32, _ path: String) throws(FlowError) -> [UInt8] {
    var info = stat()
    let size = fstat(descriptor, &info) == 0 ? Int(info.st_size) : 0
    var bytes: [UInt8] = []
    while true {
      // One more byte than is left is requested, so that the same call finds the end. Pipes report no size.
      let room = min(max(size - bytes.count, 0) + 1, 1 << 30)
      var failure: Int32 = 0
      let piece = [UInt8](unsafeUninitializedCapacity: max(room, 1 << 16)) { buffer, count in
        while count < buffer.count {
          let got = systemRead(descriptor, buffer.baseAddress! + count, min(buffer.count - count, 1 << 30))
          if got < 0, errno == EINTR { continue }
          if got < 0 { failure = errno }
          if got <= 0 { return }
          count += got
        }
      }
      guard failure == 0 else { throw unreadable(path, failure) }
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
      if piece.count < max(room, 1 << 16) { return bytes }
    }
  }

  /// Writes a file atomically, by way of a temporary file beside it.
  ///
  /// A reader sees the old content or the new one, even if this process is killed meanwhile.
  ///
  /// - Parameters:
  ///   - kind: The kind of file in errors.
  ///   - durably: Whether to wait until the disk has stored the bytes and the name.
  ///   - temporary: The name of the temporary file, for a path with a single writer. Processes that are
  ///     killed then leave at most one file.
  package static func write(
    _ bytes: [UInt8], to path: String, called kind: String = "file", durably: Bool = false,
    temporary: String? = nil
  ) throws(FlowError) {
    try checkName(path)
    let noPlace = FlowError.inFile(path, "expected a place to write a \(kind) to, got none")
    let noRoom = FlowError.inFile(path, "expected room for \(bytes.count) bytes, got too little")
    var info = stat()
    let exists = stat(path, &info) == 0
    if exists, info.st_mode & S_IFMT == S_IFDIR { throw noPlace }
    if exists, info.st_mode & S_IFMT != S_IFREG {  // A terminal or a pipe is not replaced.
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw noPlace }
      defer { close(descriptor) }
      guard put(bytes, descriptor) else { throw noRoom }
      return
    }
    let target = exists ? resolved(path) : path  // A link is kept.
    guard let (descriptor, temporary) = openTemporary(beside: target, named: temporary) else { throw noPlace }
    let isWritten = put(bytes, descriptor) && (!durably || fsync(descriptor) == 0)
    guard close(descriptor) == 0, isWritten else {
      unlink(temporary)
      throw noRoom
    }
    guard rename(temporary, target) == 0 else {
      unlink(temporary)
      throw noPlace
    }
    if durably { synchronizeFolder(of: target) }
  }

  /// Throws for a path with a NUL, at which the system's calls would end it: they would take another file.
  static func checkName(_ path: String) throws(FlowError) {
    if path.utf8.contains(0) {
      throw .inFile(
        String(path.prefix { $0 != "\0" }), "expected a path without NUL, got one with a NUL behind this")
    }
  }

  /// Throws unless a file can be written at a path. Leaves nothing behind.
  package static func checkPlace(_ path: String) throws(FlowError) {
    try checkName(path)
    var info = stat()
    let kind = stat(path, &info) == 0 ? info.st_mode & S_IFMT : S_IFREG
    if kind != S_IFREG && kind != S_IFDIR { return }  // The reader of a pipe would see its end.
    let (_, descriptor, temporary) = try begin(path)
    abandon(descriptor, temporary)
  }

  /// Whether a file exists at a path.
  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Makes a folder and those above it, where they are not there.
  package static func makeFolder(_ path: String) throws(FlowError) {
    try checkName(path)
    for end in path.indices.dropFirst() where path[end] == "/" { mkdir(String(path[..<end]), 0o777) }
    mkdir(path, 0o777)
    var info = stat()
    guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
      throw .inFile(path, "expected a place for a folder, got none")
    }
  }

  /// Whether this process may write to a path.
  package static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

  /// The error of a file that cannot be read.
  static func unreadable(_ path: String, _ code: Int32) -> FlowError {
    let got =
      switch code {
      case ENOENT, ENOTDIR: "nothing there"
      case EISDIR: "a folder"
      case EACCES, EPERM: "one without permission to read it"
      default: "the system's error \(code)"
      }
    return .inFile(path, "expected a readable file, got \(got)")
  }

  private static func openTemporary(beside path: String, named name: String?) -> (Int32, String)? {
    if let name {
      let descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
      return descriptor >= 0 ? (descriptor, name) : nil
    }
    for attempt in 0..<1_000 {
      let name = "\(path).\(getpid()).\(attempt).partial"
      let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, name) }
      if errno != EEXIST { return nil }
    }
    return nil
  }

  /// Opens a file to write to in pieces: its name behind links, and a temporary file beside it. A terminal or
  /// a pipe is written to itself.
  static func begin(
    _ path: String
  ) throws(FlowError) -> (target: String, descriptor: Int32, temporary: String?) {
    try checkName(path)
    let noPlace = FlowError.inFile(path, "expected a place to write a file to, got none")
    var info = stat()
    let exists = stat(path, &info) == 0
    if exists, info.st_mode & S_IFMT == S_IFDIR { throw noPlace }
    if exists, info.st_mode & S_IFMT != S_IFREG {
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw noPlace }
      return (path, descriptor, nil)
    }
    let target = exists ? resolved(path) : path
    guard let (descriptor, temporary) = openTemporary(beside: target, named: nil) else { throw noPlace }
    return (target, descriptor, temporary)
  }

  /// Closes such a file and gives it its name.
  static func finish(
    _ path: String, _ descriptor: Int32, _ temporary: String?, _ target: String
  ) throws(FlowError) {
    let isClosed = close(descriptor) == 0
    guard let temporary else { return }
    guard isClosed, rename(temporary, target) == 0 else {
      unlink(temporary)
      throw .inFile(path, "expected a place to write a file to, got none")
    }
  }

  /// Closes and removes such a file.
  static func abandon(_ descriptor: Int32, _ temporary: String?) {
    close(descriptor)
    if let temporary { unlink(temporary) }
  }

  static func put(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = systemWrite(descriptor, buffer.baseAddress! + done, min(buffer.count - done, 1 << 30))
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return false }
        done += count
      }
      return true
    }
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// Waits until the disk has stored a folder, and with it the file's name. Failures are ignored.
  private static func synchronizeFolder(of path: String) {
    let folder = path.contains("/") ? String(path[...path.lastIndex(of: "/")!]) : "."
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }
}

// The functions above hide the names of these calls.
private let systemRead: @Sendable (Int32, UnsafeMutableRawPointer?, Int) -> Int = read
private let systemWrite: @Sendable (Int32, UnsafeRawPointer?, Int) -> Int = write
