import Tensors

/// A safetensors file: named tensors and text metadata, the format of trained models.
///
/// ```swift
/// try SafeTensors(params, metadata: ["architecture": "realnvp", "seed": "0"]).write(to: "model.safetensors")
///
/// let file = try SafeTensors.read("model.safetensors")
/// let loaded = try file.tree(like: initial)     // the same structure and shapes, or an error
/// ```
///
/// The format is that of Hugging Face. It begins with the length of the header in 8 bytes. The header in JSON
/// holds each tensor's type, shape and position. The numbers follow, little-endian and without gaps. The
/// reader supports `F16`, `BF16`, `F32`, `F64`, `BOOL` and whole numbers of 8 to 64 bits. A whole number
/// beyond int32 is an error.
///
/// A tree's leaves are stored under their paths, such as `bijection/0/net/dense_1/weight`. The metadata entry
/// `frozen` lists the frozen leaves. The same content always gives the same bytes.
public struct SafeTensors: Sendable {
  /// The tensors under their names, in the header's order.
  public let tensors: [(name: String, value: Tensor)]
  /// The metadata: texts under names of the writer's choice.
  public let metadata: [String: String]

  /// Makes a file of named tensors.
  ///
  /// - Precondition: The names differ, and none is `__metadata__`.
  public init(_ tensors: [(name: String, value: Tensor)], metadata: [String: String] = [:]) {
    let names = Set(tensors.map(\.name))
    require(
      names.count == tensors.count && !names.contains("__metadata__"),
      "tensors have different names, none of them __metadata__")
    (self.tensors, self.metadata) = (tensors, metadata)
  }

  /// The tensor with a name, or nil.
  public subscript(name: String) -> Tensor? { tensors.first { $0.name == name }?.value }

  /// Reads a file.
  ///
  /// - Throws: `FlowError.file` with the byte of the first error in the file.
  public static func read(_ path: String) throws(FlowError) -> SafeTensors {
    try parse(bytes: FileBytes.read(path), source: path)
  }

  /// Parses the bytes of a file, as ``read(_:)`` does. Errors name the bytes `source`.
  public static func parse(bytes: [UInt8], source: String = "tensors") throws(FlowError) -> SafeTensors {
    try BinaryBytes.with(bytes, source: source) { (file) throws(FlowError) in try parse(file) }
  }

  /// Writes the file atomically.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written.
  public func write(to path: String) throws(FlowError) { try FileBytes.write(bytes, to: path) }

  /// The bytes of the file.
  public var bytes: [UInt8] {
    // Tensors are stored by falling size of their numbers, so that each is aligned. The header keeps their
    // order.
    let order = tensors.indices.sorted {
      let (a, b) = (tensors[$0].value.dtype.byteCount, tensors[$1].value.dtype.byteCount)
      return a != b ? a > b : $0 < $1
    }
    var places = Array(repeating: 0, count: tensors.count)
    var content: [UInt8] = []
    content.reserveCapacity(tensors.reduce(0) { $0 + $1.value.count * $1.value.dtype.byteCount })
    for i in order {
      places[i] = content.count
      content += littleEndianBytes(of: tensors[i].value)
    }
    var members: [JSON.Member] = []
    if !metadata.isEmpty { members.append(.init("__metadata__", .strings(metadata))) }
    for ((name, value), start) in zip(tensors, places) {
      let type = ElementType(value.dtype).rawValue.uppercased()
      let end = start + value.count * value.dtype.byteCount
      let entry: JSON = [
        "dtype": .string(type), "shape": .array(value.shape.sizes.map(JSON.integer)),
        "data_offsets": [.integer(start), .integer(end)],
      ]
      members.append(.init(name, entry))
    }
    var header = Array(JSON.object(members).text.utf8)
    header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
    return littleEndian(header.count, bytes: 8) + header + content
  }
}
