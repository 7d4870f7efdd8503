import Files

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A PJRT plugin: a library that compiles programs in StableHLO and runs them, on a GPU for instance.
///
/// ```swift
/// let plugin = try PJRTPlugin("/path/to/pjrt_plugin.so")
/// print(plugin, plugin.devices)
/// ```
///
/// The plugin is found when the program runs. Nothing of it is needed to build this library. Make one value
/// per plugin and process, since some plugins take most of a device's memory when they start.
public final class PJRTPlugin: Sendable {
  /// The environment variable that holds a path, `FLOW_PJRT_PLUGIN`.
  public static let variable = "FLOW_PJRT_PLUGIN"

  /// The file.
  public let path: String
  /// The kind of hardware, such as `cpu` or `cuda`.
  public let platform: String
  /// The version of the plugin's compiler and drivers, as it says itself.
  public let platformVersion: String
  /// The version of the interface that the plugin speaks.
  public let interfaceVersion: (major: Int, minor: Int)
  let table: PluginTable
  let client: UInt
  private let addresses: [UInt]

  /// Loads a plugin and starts it.
  ///
  /// - Parameter path: the file; nil for the one in the environment variable `FLOW_PJRT_PLUGIN`.
  /// - Throws: `PJRTError`, for a file that is no plugin, one of another version, or one without a device.
  public convenience init(_ path: String? = nil) throws(PJRTError) {
    guard let path = path ?? getenv(PJRTPlugin.variable).map({ String(cString: $0) }), !path.isEmpty else {
      throw .noPath
    }
    if path.utf8.contains(0) { throw .notLoaded(path: path, message: "a path has no NUL") }
    // A name without a folder would be searched for in the system's folders alone.
    let place = !path.contains("/") && FileBytes.exists(path) ? "./\(path)" : path
    if let missing = missingBytes(ofLibrary: place) {
      throw .notLoaded(path: path, message: "its last \(missing) bytes are missing; install it again")
    }
    guard let library = dlopen(place, RTLD_NOW | RTLD_LOCAL) else {
      throw .notLoaded(path: path, message: dlerror().map { String(cString: $0) } ?? "unknown")
    }
    typealias Entry = @convention(c) () -> UnsafeRawPointer?
    guard let entry = dlsym(library, "GetPjrtApi"),
      let table = unsafeBitCast(entry, to: Entry.self)()
    else { throw .notAPlugin(path: path) }
    try self.init(PluginTable(table, path: path))
  }

  /// Starts a plugin of some functions.
  init(_ table: PluginTable) throws(PJRTError) {
    (self.table, path, interfaceVersion) = (table, table.path, table.version)
    let creation = PluginArgument()
    do throws(PJRTError) {
      try table.call(.initialize, PluginArgument())
      try table.call(.createClient, creation)
    } catch {
      guard case .failed(_, _, let message) = error else { throw error }
      throw .noDevice(path: table.path, message: message)
    }
    // Field 6 follows the options and the callbacks.
    client = creation[6]
    let name = PluginArgument([client])
    let version = PluginArgument([client])
    let devices = PluginArgument([client])
    do throws(PJRTError) {
      try table.call(.platformName, name)
      try table.call(.platformVersion, version)
      try table.call(.addressableDevices, devices)
    } catch {
      table.release(.destroyClient, client)
      throw error
    }
    (platform, platformVersion) = (name.text(1), version.text(1))
    let list = UnsafePointer<UInt>(bitPattern: devices[1])
    addresses = (0..<Int(devices[2])).compactMap { list?[$0] }
    if addresses.isEmpty { throw .noDevice(path: table.path, message: "\(platform) has no device here") }
  }

  deinit { table.release(.destroyClient, client) }

  /// The devices that this process can use.
  public var devices: [Device] {
    addresses.enumerated().map { Device(plugin: self, address: $1, index: $0) }
  }

  /// The first device.
  public var firstDevice: Device { Device(plugin: self, address: addresses[0], index: 0) }
}

extension PJRTPlugin: CustomStringConvertible {
  /// The platform with its versions in one line.
  public var description: String {
    let version = platformVersion.split(whereSeparator: \.isNewline).joined(separator: "; ")
    return "\(platform), PJRT \(interfaceVersion.major).\(interfaceVersion.minor), \(version)"
  }
}
