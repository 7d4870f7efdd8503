import Files
import StableHLO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder that keeps compiled programs, so that another process need not compile them again.
///
/// A file's name is a hash of the program's text, the plugin with its versions, and the processor. A plugin
/// that cannot store programs compiles each time. A damaged file is ignored and written again.
public struct CompileCache: Sendable {
  /// The environment variable that names a folder, `FLOW_PJRT_CACHE`.
  public static let variable = "FLOW_PJRT_CACHE"

  /// The folder.
  public let folder: String

  /// A folder. It is made when the first program is stored; the folder that it is in has to be there.
  public init(_ folder: String) { self.folder = folder }

  /// The folder in the environment variable `FLOW_PJRT_CACHE`; nil without one.
  public static var fromEnvironment: CompileCache? {
    guard let folder = getenv(variable).map({ String(cString: $0) }), !folder.isEmpty else { return nil }
    return CompileCache(folder)
  }

  /// The file of a program.
  func path(of program: StableHLOProgram, on device: Device) -> String {
    "\(folder)/\(key(program, device)).pjrt"
  }

  /// The stored program; nil if there is none that can be used.
  func executable(for program: StableHLOProgram, on device: Device) -> Executable? {
    let path = path(of: program, on: device)
    guard FileBytes.exists(path), let file = try? FileBytes.read(path) else { return nil }
    let seal = file.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let header = Array(description(program, device).utf8) + [0]
    var bytes = Array(file.dropLast(4))
    guard file.count > 4, crc32(bytes) == seal, bytes.starts(with: header) else { return nil }
    bytes.removeFirst(header.count)
    let table = device.plugin.table
    let address = bytes.withUnsafeBytes { bytes -> UInt? in
      let argument = PluginArgument([device.plugin.client, UInt(bytes.baseAddress), UInt(bytes.count)])
      return (try? table.call(.deserialize, argument)).map { argument[3] }
    }
    return try? address.map { (address) throws(PJRTError) in try Executable(device, address, program) }
  }

  /// Stores a program, if the plugin can and there is a place for the folder.
  func store(_ executable: Executable, for program: StableHLOProgram) {
    let device = executable.device
    let table = device.plugin.table
    let bytes = try? executable.withProgram { (own) throws(PJRTError) -> [UInt8] in
      let argument = PluginArgument([own])
      try table.call(.serialize, argument)
      let start = UnsafePointer<UInt8>(bitPattern: argument[1])
      let bytes = Array(UnsafeBufferPointer(start: start, count: Int(argument[2])))
      // Field 4 is the function that frees field 3.
      if let free = UnsafeRawPointer(bitPattern: argument[4]),
        let stored = UnsafeMutableRawPointer(bitPattern: argument[3])
      {
        typealias Free = @convention(c) (UnsafeMutableRawPointer) -> Void
        unsafeBitCast(free, to: Free.self)(stored)
      }
      return bytes
    }
    guard let bytes else { return }
    mkdir(folder, 0o777)
    var file = Array(description(program, device).utf8) + [0] + bytes
    let seal = crc32(file)
    file += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: seal >> $0) }
    try? FileBytes.write(file, to: path(of: program, on: device), called: "compiled program")
  }

  /// The plugin, the device and the processor, of which compiled programs are part.
  private func description(_ program: StableHLOProgram, _ device: Device) -> String {
    let processor =
      device.plugin.platform == "cpu"
      ? (try? FileBytes.read("/proc/cpuinfo")).map { bytes in
        String(decoding: bytes, as: UTF8.self).split(separator: "\n")
          .first { $0.hasPrefix("flags") || $0.hasPrefix("Features") }.map(String.init) ?? ""
      } ?? "" : ""
    return "\(device.plugin) \(device.kind) \(device.index) \(processor) \(program.text.utf8.count)"
  }

  private func key(_ program: StableHLOProgram, _ device: Device) -> String {
    let bytes = Array(description(program, device).utf8) + Array(program.text.utf8)
    // Two 64-bit hashes of Fowler, Noll and Vo with different starts.
    func hash(_ start: UInt64) -> String {
      let value = bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
      let text = String(value, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }
    return hash(0xCBF2_9CE4_8422_2325) + hash(0x8422_2325_CBF2_9CE4)
  }
}
