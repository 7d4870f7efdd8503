import Foundation

@testable import PJRT

/// A plugin in memory whose programs return their arguments. It counts the objects that are alive, and fails
/// where it is told to.
enum FakePlugin {
  struct State {
    var alive: [String: Int] = [:]
    /// The function that fails, and the code of its error.
    var failing: PluginFunction?
    var code = 13
    var deviceCount = 1
    var results = 1
  }

  /// Tests that use it run one after the other.
  nonisolated(unsafe) static var state = State()

  /// The objects that are alive, without those of which there are none.
  static var alive: [String: Int] { state.alive.filter { $0.value != 0 } }

  static func object(_ kind: String, _ bytes: Int = 8) -> UInt {
    state.alive[kind, default: 0] += 1
    return UInt(bitPattern: calloc(1, max(bytes, 1))!)
  }

  static func free(_ kind: String, _ address: UInt) {
    state.alive[kind, default: 0] -= 1
    Foundation.free(UnsafeMutableRawPointer(bitPattern: address))
  }

  typealias Words = UnsafeMutablePointer<UInt>

  nonisolated(unsafe) private static let message = strdup("the fake's own message\nin two lines")!
  nonisolated(unsafe) private static let name = strdup("fake")!
  nonisolated(unsafe) private static let devices = UnsafeMutablePointer<UInt>.allocate(capacity: 1)

  /// The body of a function. Field 0 is at word 2.
  private static func run(_ function: PluginFunction, _ words: Words) -> UnsafeRawPointer? {
    precondition(words[0] >= 256 && words[1] == 0, "structures are large, and have no extensions")
    if function == state.failing { return UnsafeRawPointer(bitPattern: object("error")) }
    switch function {
    case .createClient: words[8] = object("client")
    case .destroyClient: free("client", words[2])
    case .platformName, .platformVersion, .deviceKind, .deviceText:
      (words[3], words[4]) = (UInt(bitPattern: name), 4)
    case .addressableDevices:
      devices[0] = 1
      (words[3], words[4]) = (UInt(bitPattern: devices), UInt(state.deviceCount))
    case .compile: words[6] = object("loaded executable")
    case .destroyLoadedExecutable: free("loaded executable", words[2])
    case .executable: words[3] = object("executable")
    case .destroyExecutable: free("executable", words[2])
    case .outputCount: words[3] = UInt(state.results)
    case .bufferFromHost: (words[13], words[14]) = (object("event"), object("buffer"))
    case .bufferToHost: words[6] = object("event")
    case .destroyBuffer: free("buffer", words[2])
    case .destroyEvent: free("event", words[2])
    case .execute:
      let outputs = Words(bitPattern: Words(bitPattern: words[7])![0])!
      for i in 0..<state.results { outputs[i] = object("buffer") }
    case .destroyError: free("error", words[2])
    case .errorMessage: (words[3], words[4]) = (UInt(bitPattern: message), UInt(strlen(message)))
    case .errorCode: words[3] = UInt(state.code)
    default: break
    }
    return nil
  }

  private typealias Function = @convention(c) (UnsafeMutableRawPointer) -> UnsafeRawPointer?

  private static let functions: [(PluginFunction, Function)] = [
    (.destroyError, { run(.destroyError, $0.assumingMemoryBound(to: UInt.self)) }),
    (.errorMessage, { run(.errorMessage, $0.assumingMemoryBound(to: UInt.self)) }),
    (.errorCode, { run(.errorCode, $0.assumingMemoryBound(to: UInt.self)) }),
    (.initialize, { run(.initialize, $0.assumingMemoryBound(to: UInt.self)) }),
    (.destroyEvent, { run(.destroyEvent, $0.assumingMemoryBound(to: UInt.self)) }),
    (.awaitEvent, { run(.awaitEvent, $0.assumingMemoryBound(to: UInt.self)) }),
    (.createClient, { run(.createClient, $0.assumingMemoryBound(to: UInt.self)) }),
    (.destroyClient, { run(.destroyClient, $0.assumingMemoryBound(to: UInt.self)) }),
    (.platformName, { run(.platformName, $0.assumingMemoryBound(to: UInt.self)) }),
    (.platformVersion, { run(.platformVersion, $0.assumingMemoryBound(to: UInt.self)) }),
    (.addressableDevices, { run(.addressableDevices, $0.assumingMemoryBound(to: UInt.self)) }),
    (.compile, { run(.compile, $0.assumingMemoryBound(to: UInt.self)) }),
    (.bufferFromHost, { run(.bufferFromHost, $0.assumingMemoryBound(to: UInt.self)) }),
    (.deviceKind, { run(.deviceKind, $0.assumingMemoryBound(to: UInt.self)) }),
    (.deviceText, { run(.deviceText, $0.assumingMemoryBound(to: UInt.self)) }),
    (.deviceDescription, { run(.deviceDescription, $0.assumingMemoryBound(to: UInt.self)) }),
    (.destroyExecutable, { run(.destroyExecutable, $0.assumingMemoryBound(to: UInt.self)) }),
    (.outputCount, { run(.outputCount, $0.assumingMemoryBound(to: UInt.self)) }),
    (.destroyLoadedExecutable, { run(.destroyLoadedExecutable, $0.assumingMemoryBound(to: UInt.self)) }),
    (.executable, { run(.executable, $0.assumingMemoryBound(to: UInt.self)) }),
    (.execute, { run(.execute, $0.assumingMemoryBound(to: UInt.self)) }),
    (.destroyBuffer, { run(.destroyBuffer, $0.assumingMemoryBound(to: UInt.self)) }),
    (.bufferToHost, { run(.bufferToHost, $0.assumingMemoryBound(to: UInt.self)) }),
  ]

  /// A table of the interface, which is never freed.
  static func table(major: Int = 0, minor: Int = 81, functions count: Int = 100) throws(PJRTError)
    -> PluginTable
  {
    let words = Words.allocate(capacity: 5 + count)
    words.initialize(repeating: 0, count: 5 + count)
    words[0] = UInt(8 * (5 + count))
    words[4] = UInt(minor) << 32 | UInt(major)
    for (function, code) in functions where function.rawValue < count {
      words[5 + function.rawValue] = UInt(bitPattern: unsafeBitCast(code, to: UnsafeRawPointer.self))
    }
    return try PluginTable(UnsafeRawPointer(words), path: "fake.so")
  }
}
