import Foundation
import StableHLO
import Tensors
import TestSupport
import Testing

@testable import PJRT

/// Programs on a plugin, which the environment variable `FLOW_PJRT_PLUGIN` names. Without it nothing is
/// tested here.
@Suite(.enabled(if: TestPlugin.isNamed), .serialized) struct PluginTests {
  private let device: Device
  init() throws { device = try TestPlugin.device }

  @Test func description() throws {
    #expect(device.plugin.interfaceVersion.major == 0 && !device.kind.isEmpty && !device.description.isEmpty)
    #expect(device.plugin.description.hasPrefix("\(device.plugin.platform), PJRT 0."))
  }

  @Test(arguments: [DType.float32, .float64]) func numbers(dtype: DType) throws {
    let program = try StableHLOProgram("f", of: [.init([2, 3], dtype), .init([3], dtype)]) {
      [exp($0[0]) * $0[1], $0[0].sum(axis: 1)]
    }
    let (a, b) = (
      Tensor([1, -2, 0, 0.5, 3, -1], shape: [2, 3], dtype: dtype), Tensor([1, 2, 3], dtype: dtype)
    )
    let results = try device.compile(program, cache: nil)([a, b])
    let expected = [exp(a) * b, a.sum(axis: 1)]
    for (x, y) in zip(results, expected) {
      #expect(x.shape == y.shape && x.dtype == dtype)
      #expect(abs(x - y).doubles.max()! < (dtype == .float32 ? 1e-5 : 1e-13))
    }
  }

  @Test func buffers() throws {
    for tensor in [
      Tensor([1, 2, .nan]), Tensor(ints: [1, -5]), Tensor(7, dtype: .float64), .zeros([0, 3]),
      .ones([1, 1, 2]),
    ] { #expect(try device.buffer(tensor).tensor().isIdentical(to: tensor)) }
  }

  /// The plugin's own message is part of the error.
  @Test func programsThatDoNotCompile() throws {
    let program = try StableHLOProgram(tracing: "f", of: [.init([2], .float32)]) { graph, inputs in
      [
        graph.tensor(
          graph.operation("stablehlo.other", inputs.map(graph.value), .init([2], .float32 as DType)))
      ]
    }
    let error = #expect(throws: PJRTError.self) { try device.compile(program, named: "f", cache: nil) }
    #expect(error?.description.hasPrefix("the program f does not compile: ") == true, "\(error as Any)")
    #expect(error?.description.contains("other") == true, "\(error as Any)")
  }

  /// A stored program is loaded, and a damaged file is ignored and written again.
  @Test func cache() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = CompileCache(folder.path)
    let program = try StableHLOProgram("f", of: [.init([2], .float32)]) { [$0[0] * 3] }
    let path = cache.path(of: program, on: device)
    func run() throws -> [Double] {
      try device.compile(program, cache: cache)([Tensor([1, 2])])[0].doubles
    }
    #expect(cache.executable(for: program, on: device) == nil)
    #expect(try run() == [3, 6])
    guard FileManager.default.fileExists(atPath: path) else {
      print("\(device.plugin) stores no programs")
      return
    }
    let stored = try #require(cache.executable(for: program, on: device))
    #expect(try stored([Tensor([1, 2])])[0].doubles == [3, 6])
    let bytes = try Data(contentsOf: URL(filePath: path))
    var damaged = bytes
    damaged[bytes.count / 2] ^= 1
    for wrong in [damaged, bytes.prefix(100), Data()] {
      try wrong.write(to: URL(filePath: path))
      #expect(cache.executable(for: program, on: device) == nil)
      #expect(try run() == [3, 6])
      #expect(try Data(contentsOf: URL(filePath: path)).count == bytes.count)
    }
    // A folder that is not there costs a compilation, no error.
    #expect(
      try device.compile(program, cache: CompileCache("/nowhere"))([Tensor([1, 2])])[0].doubles == [3, 6])
  }
}
