import Arguments
import Flows

extension Arguments.Option {
  static let device = Arguments.Option(
    "device", "NAME", default: "cpu",
    "cpu, or pjrt:FILE for XLA by a PJRT plugin, on a GPU for instance; pjrt alone takes the file in "
      + "\(PJRTPlugin.variable)")
}

extension Arguments {
  /// The device of `--device`; nil for this library's own kernels. The plugin is started.
  func device() throws -> Device? {
    let name = text("device")
    if name == "cpu" { return nil }
    guard name == "pjrt" || name.hasPrefix("pjrt:") else {
      throw UsageError("expected cpu, pjrt or pjrt:FILE for --device, got \(name)")
    }
    return try PJRTPlugin(name == "pjrt" ? nil : String(name.dropFirst(5))).firstDevice
  }

  /// Throws if `--device` is not `cpu` for a model that runs there alone.
  func requireNoDevice(for what: String) throws(UsageError) {
    if text("device") != "cpu" {
      throw UsageError("--device is for models of numbers alone, got \(what); leave it out")
    }
  }
}
