/// An error of a PJRT plugin, or of finding one. Its description is one line.
public enum PJRTError: Error, Sendable, Equatable {
  /// No path was given, neither as an argument nor by the environment variable.
  case noPath
  /// The file cannot be loaded as a library. The message is the loader's.
  case notLoaded(path: String, message: String)
  /// The library is no plugin, as it has no function `GetPjrtApi`.
  case notAPlugin(path: String)
  /// The plugin speaks another version of the interface.
  case version(path: String, expected: String, got: String)
  /// The plugin has no device that this process can use. The message is the plugin's.
  case noDevice(path: String, message: String)
  /// A device has too little memory.
  case outOfMemory(device: String, message: String)
  /// The plugin does not compile a program. The message is the plugin's.
  case notCompiled(program: String, message: String)
  /// Another failure of the plugin, with its own message.
  case failed(function: String, code: Int, message: String)
}

extension PJRTError: CustomStringConvertible {
  /// The error in one line.
  public var description: String {
    let text =
      switch self {
      case .noPath:
        "expected the path of a PJRT plugin, as an argument or in \(PJRTPlugin.variable), got none"
      case .notLoaded(let path, let message): "\(path): expected a PJRT plugin, got no library: \(message)"
      case .notAPlugin(let path):
        "\(path): expected a PJRT plugin, got a library without the function GetPjrtApi"
      case .version(let path, let expected, let got):
        "\(path): expected a PJRT plugin of version \(expected), got \(got)"
      case .noDevice(let path, let message): "\(path): expected a device, got none: \(message)"
      case .outOfMemory(let device, let message): "\(device) has too little memory: \(message)"
      case .notCompiled(let program, let message): "the program \(program) does not compile: \(message)"
      case .failed(let function, let code, let message): "\(function) failed with code \(code): \(message)"
      }
    return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
  }
}
