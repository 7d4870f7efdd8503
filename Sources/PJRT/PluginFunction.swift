/// A function of the plugin interface: its place in the table of functions.
///
/// The table only grows at its end as long as the major version stays the same, so places do not change.
enum PluginFunction: Int {
  case destroyError = 0
  case errorMessage = 1
  case errorCode = 2
  case initialize = 3
  case destroyEvent = 5
  case awaitEvent = 8
  case createClient = 10
  case destroyClient = 11
  case platformName = 12
  case platformVersion = 14
  case addressableDevices = 16
  case compile = 20
  case bufferFromHost = 22
  case deviceKind = 26
  case deviceText = 28
  case deviceDescription = 29
  case destroyExecutable = 40
  case outputCount = 44
  case serialize = 49
  case destroyLoadedExecutable = 50
  case executable = 51
  case execute = 55
  case deserialize = 56
  case destroyBuffer = 58
  case bufferToHost = 70
}

/// The argument of a call: words of 8 bytes, as every structure of the interface has them.
///
/// Word 0 is the structure's size, word 1 a list of extensions, and the fields follow. A plugin refuses a
/// structure that is smaller than its own, and takes a larger one whose rest is zero. So all calls pass the
/// same large size, and fields that a later version adds are zero.
struct PluginArgument: ~Copyable {
  /// The number of words. The largest structure of today has 14.
  static let size = 40

  let words: UnsafeMutablePointer<UInt>

  /// An argument whose fields begin with the given words.
  init(_ fields: [UInt] = []) {
    words = .allocate(capacity: PluginArgument.size)
    words.initialize(repeating: 0, count: PluginArgument.size)
    words[0] = UInt(PluginArgument.size * 8)
    for (i, field) in fields.enumerated() { words[2 + i] = field }
  }

  deinit { words.deallocate() }

  /// A field, which the call may have written. Field 0 is the first after size and extensions.
  subscript(_ field: Int) -> UInt {
    get { words[2 + field] }
    nonmutating set { words[2 + field] = newValue }
  }

  /// A field of 32 bits.
  func integer(_ field: Int) -> Int { Int(Int32(truncatingIfNeeded: self[field])) }

  /// A text whose address and length are in two fields.
  func text(_ field: Int) -> String {
    guard let start = UnsafePointer<UInt8>(bitPattern: self[field]) else { return "" }
    return String(decoding: UnsafeBufferPointer(start: start, count: Int(self[field + 1])), as: UTF8.self)
  }
}

extension UInt {
  /// The address as a word; 0 for none.
  init(_ address: UnsafeRawPointer?) { self = UInt(bitPattern: address) }
}
