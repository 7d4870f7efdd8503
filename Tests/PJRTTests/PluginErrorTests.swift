import Foundation
import Testing

@testable import PJRT

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

  /// Loading a library that is cut off would end the process.
  @Test func cutOff() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "cut-\(UUID().uuidString).so").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    // 4 sections of 64 bytes at byte 4096.
    var header = [UInt8](repeating: 0, count: 64)
    header.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
    (header[0x29], header[0x3A], header[0x3C]) = (16, 64, 4)
    try Data(header + [UInt8](repeating: 0, count: 1000)).write(to: URL(filePath: path))
    let error = #expect(throws: PJRTError.self) { try PJRTPlugin(path) }
    let missing = 4096 + 4 * 64 - 1064
    #expect(error?.description.contains("its last \(missing) bytes are missing") == true)
    #expect(missingBytes(ofLibrary: "/proc/self/exe") == nil)
  }

  /// A name in the current folder is that file.
  @Test func nameWithoutFolder() throws {
    let name = "plugin-\(UUID().uuidString).so"
    try Data("text".utf8).write(to: URL(filePath: name))
    defer { try? FileManager.default.removeItem(atPath: name) }
    let error = #expect(throws: PJRTError.self) { try PJRTPlugin(name) }
    #expect(error?.description.contains("No such file") == false, "\(error as Any)")
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
