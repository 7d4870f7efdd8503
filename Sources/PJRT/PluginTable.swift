/// The functions of a loaded plugin.
struct PluginTable: @unchecked Sendable {
  /// The major version of the interface that this library speaks. Minor versions only add to it.
  static let majorVersion = 0
  /// The oldest minor version, whose first 71 functions are those of today.
  static let oldestMinorVersion = 50

  /// The path of the plugin, for errors.
  let path: String
  /// The version of the interface that the plugin speaks.
  let version: (major: Int, minor: Int)
  private let functions: UnsafePointer<UnsafeRawPointer?>
  private let count: Int

  /// Checks a plugin's table: its size, a list of extensions, the version, then pointers to functions.
  ///
  /// Throws `.version` for another major version and for one that is too old.
  init(_ table: UnsafeRawPointer, path: String) throws(PJRTError) {
    self.path = path
    let (size, header) = (table.load(as: Int.self), 40)
    version = (
      Int(table.load(fromByteOffset: 32, as: Int32.self)), Int(table.load(fromByteOffset: 36, as: Int32.self))
    )
    guard version.major == PluginTable.majorVersion, version.minor >= PluginTable.oldestMinorVersion else {
      throw .version(
        path: path,
        expected: "\(PluginTable.majorVersion).\(PluginTable.oldestMinorVersion) or later below "
          + "\(PluginTable.majorVersion + 1).0", got: "\(version.major).\(version.minor)")
    }
    functions = (table + header).assumingMemoryBound(to: UnsafeRawPointer?.self)
    count = max(0, size - header) / 8
  }

  /// Calls a function, and throws the plugin's error with its own message.
  func call(_ function: PluginFunction, _ argument: borrowing PluginArgument) throws(PJRTError) {
    guard let error = try raw(function, argument) else { return }
    let failure = PluginArgument([UInt(error)])
    defer { _ = try? raw(.destroyError, failure) }
    _ = try raw(.errorMessage, failure)
    let message = failure.text(1)
    let asked = PluginArgument([UInt(error)])
    // An error of the question for a code is none that helps.
    let isAnswered = try raw(.errorCode, asked) == nil
    throw .failed(function: "\(function)", code: isAnswered ? asked.integer(1) : 2, message: message)
  }

  /// Calls a function that frees something. Its failure is of no use to anyone.
  func release(_ function: PluginFunction, _ address: UInt) {
    if address != 0 { try? call(function, PluginArgument([address])) }
  }

  private func raw(
    _ function: PluginFunction, _ argument: borrowing PluginArgument
  ) throws(PJRTError) -> UnsafeRawPointer? {
    guard function.rawValue < count, let address = functions[function.rawValue] else {
      throw .failed(function: "\(function)", code: 12, message: "\(path) does not have this function")
    }
    // Functions that return nothing leave any value, which is not looked at.
    if function == .destroyError || function == .errorMessage {
      typealias Function = @convention(c) (UnsafeMutableRawPointer) -> Void
      unsafeBitCast(address, to: Function.self)(argument.words)
      return nil
    }
    typealias Function = @convention(c) (UnsafeMutableRawPointer) -> UnsafeRawPointer?
    return unsafeBitCast(address, to: Function.self)(argument.words)
  }

  /// Waits until an event has happened, and frees it. Throws the event's error.
  func wait(for event: UInt) throws(PJRTError) {
    if event == 0 { return }
    defer { release(.destroyEvent, event) }
    try call(.awaitEvent, PluginArgument([event]))
  }
}

extension PJRTError {
  /// The code of a failure for want of memory.
  static let exhausted = 8

  /// The same error, as one of memory if it is that.
  func onDevice(_ device: String) -> PJRTError {
    guard case .failed(_, PJRTError.exhausted, let message) = self else { return self }
    return .outOfMemory(device: device, message: message)
  }
}
