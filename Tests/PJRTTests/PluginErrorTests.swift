import PJRT
import Testing

/// Files that are no plugins. No plugin is needed.
@Suite struct PluginErrorTests {
  /// A library that every system has.
  #if os(Linux)
    static let library = "libm.so.6"
  #else
    static let library = "/usr/lib/libSystem.B.dylib"
  #endif

  @Test func noFile() {
    let error = #expect(throws: PJRTError.self) { try PJRTPlugin("/nowhere/plugin.so") }
    #expect(
      error?.description.hasPrefix("/nowhere/plugin.so: expected a PJRT plugin, got no library: ") == true)
  }

  @Test func noFunction() {
    #expect(throws: PJRTError.notAPlugin(path: Self.library)) { try PJRTPlugin(Self.library) }
  }

  @Test func noPath() {
    #expect(throws: PJRTError.noPath) { try PJRTPlugin("") }
  }

  /// Each error is one line that says what was expected and what came.
  @Test(arguments: [
    (PJRTError.noPath, "expected the path of a PJRT plugin, as an argument or in FLOW_PJRT_PLUGIN, got none"),
    (.version(path: "a", expected: "0.50", got: "1.0"), "a: expected a PJRT plugin of version 0.50, got 1.0"),
    (.noDevice(path: "a", message: "No\nGPU"), "a: expected a device, got none: No; GPU"),
    (.outOfMemory(device: "cuda device 0", message: "x"), "cuda device 0 has too little memory: x"),
    (.notCompiled(program: "step", message: "x\ny"), "the program step does not compile: x; y"),
    (.failed(function: "execute", code: 13, message: "x"), "execute failed with code 13: x"),
  ]) func texts(_ error: PJRTError, _ text: String) { #expect(error.description == text) }
}
