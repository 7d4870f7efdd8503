import PJRT

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The plugin that the environment variable `FLOW_PJRT_PLUGIN` names, for tests that need one.
package enum TestPlugin {
  /// Whether there is a name.
  package static let isNamed = getenv(PJRTPlugin.variable) != nil

  private static let plugin = Result { try PJRTPlugin() }

  /// Its first device. A process starts a plugin once.
  package static var device: Device { get throws { try plugin.get().firstDevice } }
}
