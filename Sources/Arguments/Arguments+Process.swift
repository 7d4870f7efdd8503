#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Arguments {
  /// Parses a command line, by default the process' own.
  ///
  /// With `--help` it prints the help text and exits. A wrong command line ends the process with code 2.
  public static func orExit(
    _ name: String, _ purpose: String, options: [Option], operands: [String] = [],
    line: [String] = Array(CommandLine.arguments.dropFirst())
  ) -> Arguments {
    if line.contains("--help") || line.contains("-h") {
      print(
        "\(purpose)\n\nusage: \(([name] + operands).joined(separator: " ")) [options]\n\n\(help(options))")
      exit(0)
    }
    return orExit { () throws(UsageError) in try Arguments(line, options: options, operands: operands) }
  }

  /// Returns the result of `body`, or ends the process with its error and code 2.
  public static func orExit<Result>(_ body: () throws(UsageError) -> Result) -> Result {
    do throws(UsageError) { return try body() } catch { end(code: 2, error: error.description) }
  }

  /// Prints an output, writes an error to standard error, and ends the process.
  public static func end(code: Int32, output: String = "", error: String? = nil) -> Never {
    print(output, terminator: "")
    fflush(nil)
    if let error { printError("error: \(error)") }
    exit(code)
  }

  /// Writes a line to standard error.
  public static func printError(_ line: String) {
    _ = (line + "\n").utf8CString.withUnsafeBytes { write(2, $0.baseAddress, $0.count - 1) }
  }
}
