import Foundation
import Tensors
import Testing

@testable import Files

@Suite struct SafeTensorsTests {
  private let tree: Params = [
    "layer": [
      "weight": .leaf(pattern([3, 3], .float32)), "order": .frozen(pattern([5], .int32, whole: true)),
    ],
    "scale": .leaf(pattern([], .float64)),
  ]

  @Test func readsWhatThePeerWrote() throws {
    let file = try SafeTensors.read("\(fixtures)/peer.safetensors")
    #expect(file.metadata == ["format": "np", "größe": "zwei\nZeilen"])
    #expect(try #require(file["layer/half"]).isIdentical(to: pattern([2, 3], .float32)))
    #expect(try #require(file["layer/float"]).isIdentical(to: pattern([2, 3], .float32)))
    #expect(try #require(file["layer/double"]).isIdentical(to: pattern([2, 3], .float64)))
    #expect(try #require(file["whole"]).isIdentical(to: pattern([6], .int32, whole: true)))
    #expect(try #require(file["bytes"]).ints == [0, 1, 2, 3])
    #expect(try #require(file["truth"]).ints == [1, 0, 0])
    #expect(try #require(file["scalar"]).isIdentical(to: pattern([], .float32)))
    #expect(try #require(file["none"]).shape == [0, 2])
    #expect(Set(try #require(file.tree[path: "layer"]).paths) == ["half", "float", "double"])
  }

  @Test func treesComeBackWithTheirBitsAndFrozenLeaves() throws {
    let file = try SafeTensors.parse(bytes: SafeTensors(tree, metadata: ["seed": "0"]).bytes)
    #expect(file.metadata["seed"] == "0")
    #expect(file.tree.isIdentical(to: tree))
    #expect(try file.tree(like: tree.filled(with: 7)).isIdentical(to: tree))
    #expect(SafeTensors(tree).bytes == SafeTensors(tree).bytes)
    let leaf = Params.leaf(Tensor([1, 2]))
    #expect(try SafeTensors.parse(bytes: SafeTensors(leaf).bytes).tree.isIdentical(to: leaf))
    #expect(try SafeTensors.parse(bytes: SafeTensors(.empty).bytes).tree(like: .empty).leaves.isEmpty)
  }

  @Test func anotherArchitectureIsRefusedWithBothTrees() throws {
    let file = SafeTensors(tree)
    let other: Params = [
      "layer": ["weight": .leaf(Tensor.zeros([4, 3]))], "scale": .leaf(Tensor(0, dtype: .float64)),
    ]
    let error = #expect(throws: FlowError.self) { try file.tree(like: other) }
    #expect(error == .structure(who: "SafeTensors", expected: other.outline, got: tree.outline))
    #expect(error?.description.contains("layer/order: [5] int32 frozen") == true)
    for wrong in [tree.cast(to: .float64), .empty, ["layer": tree.child("layer")]] {
      #expect(throws: FlowError.self) { try file.tree(like: wrong) }
    }
  }

  @Test(
    arguments: [
      ("", "at byte 0: expected the header's length of 8 bytes, got 0 to the end of the file"),
      ("[]", "at byte 8: expected an object of tensors"),
      ("{\"a\":1,\"a\":2}", "at byte 16: expected each name once, got \"a\" again"),
      (
        "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[],\"data_offsets\":[0,1]}}",
        "at byte 8: expected a dtype such as F32 or I64, got \"F8_E4M3\" for the tensor \"a\""
      ),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647],\"data_offsets\":[0,4]}}",
        "at byte 8: expected a shape of at most 6 axes and 2^48 numbers for the tensor \"a\""
      ),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
        "at byte 8: expected 8 bytes for shape [2], got 4 for the tensor \"a\""
      ),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        "expected a tensor at byte 0 of the numbers, got \"a\" at 4"
      ),
    ])
  func refuses(header: String, message: String) {
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
    let bytes = header.isEmpty ? [] : length + Array(header.utf8) + [UInt8](repeating: 0, count: 8)
    let error = #expect(throws: FlowError.self) { try SafeTensors.parse(bytes: bytes) }
    #expect(error?.description.hasSuffix(message) == true, "\(error?.description ?? "none")")
  }

  @Test func deepHeadersAreRefused() {
    let header = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 16)
    let error = #expect(throws: JSON.Failure.self) { try JSON(parsing: header) }
    #expect(error?.offset == 64)
  }
}

/// Both directions against the packages themselves, where `FLOWS_PYTHON` names a Python that has them.
@Suite struct PeerTests {
  static let python = ProcessInfo.processInfo.environment["FLOWS_PYTHON"]

  @Test(.enabled(if: python != nil)) func numpyAndSafetensorsReadWhatTheLibraryWrites() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (type, dtype) in [("f4", DType.float32), ("f8", .float64), ("i4", .int32)] {
      for shape in [[], [5], [2, 3], [2, 3, 4], [0, 2]] as [Shape] {
        let name = "\(type)-\(shape.sizes.map(String.init).joined(separator: "x")).npy"
        try NPY.write(pattern(shape, dtype, whole: dtype == .int32), to: "\(folder)/\(name)")
      }
    }
    try NPZ(["x": pattern([2, 3], .float32), "größe": pattern([4], .float64)]).write(
      to: folder + "/archive.npz")
    let tree: Params = [
      "scale": .leaf(pattern([], .float64)),
      "layer": [
        "order": .frozen(pattern([5], .int32, whole: true)), "weight": .leaf(pattern([3, 3], .float32)),
      ],
    ]
    try SafeTensors(tree, metadata: ["seed": "0"]).write(to: folder + "/tree.safetensors")

    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../Fixtures/make_files.py")
    let process = Process()
    process.executableURL = URL(filePath: try #require(PeerTests.python))
    process.arguments = [script.standardized.path, "--check", folder]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  /// A leapfrog step's leaves had no `net/` in version 0.1. Another tree's leaves are not mistaken for them.
  @Test func readsFormerPaths() throws {
    let (weight, bias) = (Tensor([[1, 2], [3, 4]]), Tensor([5, 6]))
    let today: Params = ["0": ["net": ["weight": .leaf(weight), "bias": .leaf(bias)]]]
    let former = SafeTensors(["0": ["weight": .leaf(2 * weight), "bias": .leaf(bias)]])
    #expect(try former.tree(like: today)[path: "0/net/weight"]?.value?.doubles == [2, 4, 6, 8])
    #expect(try SafeTensors(today).tree(like: today)[path: "0/net/bias"]?.value?.doubles == [5, 6])
    let other = SafeTensors(["1": ["weight": .leaf(weight), "bias": .leaf(bias)]])
    #expect(throws: FlowError.self) { try other.tree(like: today) }
  }
}
