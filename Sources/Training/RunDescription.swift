import Distributions
import Files
import Randomness
import Tensors

/// A description of a training run, by which a checkpoint recognizes it: one text per aspect, such as the
/// optimizer.
struct RunDescription {
  /// The texts under their names, in the order in which they are compared.
  let aspects: [(name: String, text: String)]

  /// A description of named values, each described part by part.
  init(_ aspects: (name: String, value: Any)...) {
    self.aspects = aspects.map { name, value in
      var lines: [String] = []
      Self.describe(value, at: "", &lines)
      return (name, lines.joined(separator: "\n"))
    }
  }

  /// The first difference to the run in a file as a phrase; nil where there is none.
  func firstDifference(to metadata: [String: String]) -> String? {
    for (name, text) in aspects {
      guard let other = metadata[Self.key(name)] else { return "the \(name) is not in the file" }
      if other == text { continue }
      let (saved, own) = (Self.parts(other), Self.parts(text))
      let position = zip(saved, own).prefix { $0 == $1 }.count
      guard position < min(saved.count, own.count) else { continue }
      let (a, b) = (saved[position], own[position])
      return a.path == b.path
        ? "the \(name): \(a.path)\(a.path.isEmpty ? "" : " ")\(a.value) in the file, \(b.value) now"
        : "the \(name): \(a.path) \(a.value) in the file, \(b.path) \(b.value) now"
    }
    return nil
  }

  /// The texts under the names that a checkpoint's metadata gives them.
  var metadata: [String: String] {
    Dictionary(uniqueKeysWithValues: aspects.map { (Self.key($0.name), $0.text) })
  }

  private static func key(_ name: String) -> String { "run: \(name)" }

  private static func parts(_ text: String) -> [(path: String, value: String)] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts.last ?? ""))
    }
  }

  /// One line per stored value: the path to it, through types and properties, then the value.
  ///
  /// It is the same in every process: no address, no hash order. A closure is `function`,
  /// so that two of them look alike.
  private static func describe(_ value: Any, at path: String, _ lines: inout [String]) {
    let (mirror, type) = (Mirror(reflecting: value), "\(type(of: value))")
    func line(_ text: String) {
      lines.append("\(path)\t\(text.split(separator: "\n").joined(separator: "; "))")
    }
    func below(_ label: String) -> String { path.isEmpty ? label : "\(path) \(label)" }

    if let text = plainText(value) { return line(text) }
    switch mirror.displayStyle {
    case .optional:
      if let child = mirror.children.first { describe(child.value, at: path, &lines) } else { line("nil") }
    case .enum:
      guard let child = mirror.children.first else { return line("\(value)") }
      line(child.label ?? type)
      describe(child.value, at: below(child.label ?? ""), &lines)
    case .collection:
      let texts = mirror.children.map { plainText($0.value) }
      if !texts.contains(nil) { return line("[\(texts.map { $0! }.joined(separator: ", "))]") }
      line("\(mirror.children.count) elements")
      for (i, child) in mirror.children.enumerated() { describe(child.value, at: below("[\(i)]"), &lines) }
    case .set, .dictionary:
      let elements = mirror.children.map { child -> String in
        var lines: [String] = []
        describe(child.value, at: "", &lines)
        return lines.map { $0.split(separator: "\t").joined(separator: " ") }.joined(separator: "; ")
      }
      line("[\(elements.sorted().joined(separator: ", "))]")
    default:
      if mirror.children.isEmpty { return line(type.contains("->") ? "function" : type) }
      if mirror.displayStyle != .tuple { line(type) }
      let owner = mirror.displayStyle == .tuple ? path : below(type)
      for (i, child) in mirror.children.enumerated() {
        let label = child.label ?? "[\(i)]"
        describe(child.value, at: owner.isEmpty ? label : "\(owner) \(label)", &lines)
      }
    }
  }

  /// The text of a value that has no parts of interest.
  private static func plainText(_ value: Any) -> String? {
    switch value {
    case let text as String: return text
    case let tensor as Tensor: return tensor.fingerprint
    case is any BinaryInteger, is any BinaryFloatingPoint, is Bool, is Key, is Shape, is DType, is Schedule:
      return "\(value)"
    default: return nil
    }
  }
}

extension RowSource {
  /// A short text that differs where shape, dtype or values differ: shape, dtype and a checksum.
  var fingerprint: String {
    get throws {
      var checksums: [UInt8] = []
      try forEachPiece(of: Array(0..<shape[0])) { piece, _ in
        let checksum = crc32(piece.withBytes { Array($0) })
        checksums += (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
      }
      return "\(shape) \(dtype) \(String(crc32(checksums), radix: 16))"
    }
  }
}

extension Tensor {
  /// A short text that differs where shape, dtype or values differ: shape, dtype and a checksum.
  var fingerprint: String { "\(shape) \(dtype) \(String(crc32(withBytes { Array($0) }), radix: 16))" }
}

extension Target {
  /// A short text that differs where name, shape or values at a few points differ.
  func fingerprint(given context: Tensor?, dtype: DType) -> String {
    let points = Key(0).normal(inputDim.batched(4), dtype: dtype)
    let rows = context?.rows((0..<4).map { $0 % context!.rows })
    let values = try? self(points, given: rows).doubles
    return "\(name) \(inputDim) \(values.map { "\($0)" } ?? "no values")"
  }
}
