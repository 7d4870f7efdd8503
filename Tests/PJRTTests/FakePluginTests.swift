import StableHLO
import Tensors
import Testing

@testable import PJRT

/// A plugin in memory: what it is asked, its errors, and that all of its objects are freed.
@Suite(.serialized) struct FakePluginTests {
  private let program: StableHLOProgram

  init() throws {
    FakePlugin.state = .init()
    program = try StableHLOProgram("fake", of: [.init([2], .float32)]) { $0 }
  }

  private func failing(_ function: PluginFunction, code: Int = 13) -> PJRTError? {
    (FakePlugin.state.failing, FakePlugin.state.code) = (function, code)
    return #expect(throws: PJRTError.self) {
      let device = try PJRTPlugin(FakePlugin.table()).firstDevice
      _ = try device.compile(program, named: "step", cache: nil)([Tensor([1, 2])])
    }
  }

  @Test(arguments: [(1, 0), (2, 90), (0, 49)]) func otherVersions(major: Int, minor: Int) {
    let error = PJRTError.version(
      path: "fake.so", expected: "0.50 or later below 1.0", got: "\(major).\(minor)")
    #expect(throws: error) { try FakePlugin.table(major: major, minor: minor) }
  }

  @Test func newerMinorVersions() throws {
    let plugin = try PJRTPlugin(FakePlugin.table(minor: 4_000))
    #expect(plugin.interfaceVersion == (0, 4_000) && plugin.platform == "fake" && plugin.devices.count == 1)
  }

  /// A table that ends too early is told of, not read beyond its end.
  @Test func shortTable() {
    #expect(
      throws: PJRTError.noDevice(path: "fake.so", message: "fake.so does not have this function")
    ) { try PJRTPlugin(FakePlugin.table(functions: 5)) }
  }

  /// All is freed after a call.
  @Test func nothingLeaks() throws {
    do {
      let device = try PJRTPlugin(FakePlugin.table()).firstDevice
      let executable = try device.compile(program, cache: nil)
      let buffer = try device.buffer(Tensor([1, 2]))
      for _ in 0..<3 { #expect(try executable([buffer])[0].tensor().shape == [2]) }
      #expect(FakePlugin.alive == ["client": 1, "loaded executable": 1, "buffer": 1])
    }
    #expect(FakePlugin.alive.isEmpty)
  }

  /// Whichever function fails, the plugin's message is kept, and all is freed.
  @Test(arguments: [
    PluginFunction.initialize, .createClient, .platformName, .addressableDevices, .compile, .executable,
    .outputCount, .bufferFromHost, .execute, .bufferToHost, .awaitEvent,
  ]) func failures(_ function: PluginFunction) {
    let error = failing(function)
    #expect(error?.description.contains("the fake's own message; in two lines") == true, "\(error as Any)")
    #expect(FakePlugin.alive.isEmpty, "\(FakePlugin.alive)")
  }

  @Test func kindsOfFailures() {
    let message = "the fake's own message\nin two lines"
    #expect(failing(.createClient) == .noDevice(path: "fake.so", message: message))
    #expect(failing(.compile) == .notCompiled(program: "step", message: message))
    for function in [PluginFunction.compile, .bufferFromHost, .execute] {
      #expect(failing(function, code: 8) == .outOfMemory(device: "fake device 0", message: message))
    }
    #expect(failing(.execute) == .failed(function: "execute", code: 13, message: message))
  }

  @Test func noDevices() {
    FakePlugin.state.deviceCount = 0
    #expect(throws: PJRTError.noDevice(path: "fake.so", message: "fake has no device here")) {
      try PJRTPlugin(FakePlugin.table())
    }
    #expect(FakePlugin.alive.isEmpty)
  }

  @Test func otherNumberOfResults() throws {
    FakePlugin.state.results = 3
    #expect(failing(.destroyError) == .failed(function: "compile", code: 13, message: "1 results became 3"))
    #expect(FakePlugin.alive.isEmpty)
  }
}
