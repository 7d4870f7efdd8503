#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Arguments {
  /// The process' own command line, for a program of one command: `--help` is answered, and a wrong line ends the process
  /// with code 2.
  public static func orExit(_ name: String, _ purpose: String, options: [Option]) -> Arguments {
    let line = Array(CommandLine.arguments.dropFirst())
    if line.contains("--help") || line.contains("-h") {
      print("\(purpose)\n\nusage: \(name) [options]\n\n\(help(options))")
      exit(0)
    }
    return orExit { () throws(UsageError) in try Arguments(line, options: options) }
  }

  /// What `body` gives, or the end of the process with its error and code 2.
  public static func orExit<Result>(_ body: () throws(UsageError) -> Result) -> Result {
    do throws(UsageError) { return try body() } catch {
      writeError(error.description)
      exit(2)
    }
  }

  /// Writes `error: ` and a message to standard error.
  public static func writeError(_ message: String) {
    let text = "error: \(message)\n"
    _ = text.utf8CString.withUnsafeBytes { write(2, $0.baseAddress, $0.count - 1) }
  }
}
