import Tensors

/// Named tensors with a few lines of text: the file in which trained models are kept.
///
/// ```swift
/// try SafeTensors(params, metadata: ["architecture": "realnvp", "seed": "0"]).write(to: "model.safetensors")
///
/// let file = try SafeTensors.read("model.safetensors")
/// let loaded = try file.tree(like: initial)     // the same structure and shapes, or an error with both trees
/// ```
///
/// The format is Hugging Face's: the length of a header as 8 bytes, the header in JSON with each tensor's type, shape and
/// place, then the numbers, little-endian and without gaps. Reading knows `F16`, `BF16`, `F32`, `F64`, `BOOL` and whole
/// numbers of 8 to 64 bits; what float32, float64 or int32 does not hold exactly is an error.
///
/// A tree's leaves are stored under their paths, such as `bijection/0/net/dense_1/weight`. Metadata names the frozen ones
/// (`frozen`), and the same content always gives the same bytes.
public struct SafeTensors: Sendable {
  /// The tensors under their names, in the header's order.
  public let tensors: [(name: String, value: Tensor)]
  /// Texts under names of the writer's choice.
  public let metadata: [String: String]

  /// A file of named tensors.
  ///
  /// - Precondition: different names, none of them `__metadata__`.
  public init(_ tensors: [(name: String, value: Tensor)], metadata: [String: String] = [:]) {
    let names = Set(tensors.map(\.name))
    require(
      names.count == tensors.count && !names.contains("__metadata__"),
      "tensors have different names, none of them __metadata__")
    self.tensors = tensors
    self.metadata = metadata
  }

  /// The tensor of a name.
  public subscript(name: String) -> Tensor? { tensors.first { $0.name == name }?.value }

  /// What is in a file.
  ///
  /// - Throws: `FlowError.file` with the byte at which the file is something else than expected.
  public static func read(_ path: String) throws(FlowError) -> SafeTensors {
    try parse(bytes: FileBytes.read(path), source: path)
  }

  /// What is in the bytes of a file. Errors call it `source`.
  public static func parse(bytes: [UInt8], source: String = "tensors") throws(FlowError) -> SafeTensors {
    try withBytes(of: bytes) { (buffer) throws(FlowError) in
      try parse(BinaryBytes(bytes: buffer, source: source))
    }
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written.
  public func write(to path: String) throws(FlowError) { try FileBytes.write(bytes, to: path) }

  /// The bytes of the file.
  public var bytes: [UInt8] {
    // Numbers stand by falling size, so that each is aligned; the header keeps the order of the names.
    let order = tensors.indices.sorted {
      let (a, b) = (tensors[$0].value.dtype.byteCount, tensors[$1].value.dtype.byteCount)
      return a != b ? a > b : $0 < $1
    }
    var places = [Int](repeating: 0, count: tensors.count)
    var content: [UInt8] = []
    content.reserveCapacity(tensors.reduce(0) { $0 + $1.value.count * $1.value.dtype.byteCount })
    for i in order {
      places[i] = content.count
      content += littleEndianBytes(of: tensors[i].value)
    }
    var members: [JSON.Member] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
      members.append(.init("__metadata__", .object(texts)))
    }
    for ((name, value), start) in zip(tensors, places) {
      let type = value.dtype == .float32 ? "F32" : value.dtype == .float64 ? "F64" : "I32"
      let end = start + value.count * value.dtype.byteCount
      members.append(
        .init(
          name,
          [
            "dtype": .string(type), "shape": .array(value.shape.sizes.map(JSON.integer)),
            "data_offsets": [.integer(start), .integer(end)],
          ]))
    }
    var header = Array(JSON.object(members).text.utf8)
    header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return length + header + content
  }
}
