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
    self.aspects = aspects.map { ($0, Self.lines(of: $1, at: "").joined(separator: "\n")) }
  }

  /// The first difference to the run in a file as a phrase; nil where there is none.
  func firstDifference(to metadata: [String: String]) -> String? {
    for (name, text) in aspects {
      guard let other = metadata[Self.key(name)] else { return "the \(name) is not in the file" }
      if let difference = Self.firstDifference(other, text) { return "the \(name): \(difference)" }
    }
    return nil
  }

  /// The first difference of two texts of one path and value per line, as a phrase; nil where there is none.
  static func firstDifference(_ saved: String, _ own: String) -> String? {
    if saved == own { return nil }
    let (saved, own) = (parts(saved), parts(own))
    let position = zip(saved, own).prefix { $0 == $1 }.count
    guard position < min(saved.count, own.count) else { return "another text in the file" }
    let (a, b) = (saved[position], own[position])
    func words(_ part: (path: String, value: String)) -> String {
      part.path.isEmpty ? part.value : "\(part.path) \(part.value)"
    }
    return "\(words(a)) in the file, \(a.path == b.path ? b.value : words(b)) now"
  }

  /// The texts under the names that a checkpoint's metadata gives them.
  var metadata: [String: String] {
    Dictionary(uniqueKeysWithValues: aspects.map { (Self.key($0.name), $0.text) })
  }

  private static func key(_ name: String) -> String { "run: \(name)" }

  /// The lines of a text, and one more that stands for its end.
  private static func parts(_ text: String) -> [(path: String, value: String)] {
    let lines = text.split(separator: "\n").map { line in
      let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts.last ?? ""))
    }
    return lines + [("", "nothing")]
  }

  /// One line per stored value: the path to it, through types and properties, then the value.
  ///
  /// It is the same in every process: no address, no hash order. A closure is `function`, so that two of them
  /// look alike.
  private static func lines(of value: Any, at path: String) -> [String] {
    func line(_ text: String) -> [String] {
      ["\(path)\t\(text.split(separator: "\n").joined(separator: "; "))"]
    }
    func below(_ label: String, _ value: Any) -> [String] {
      lines(of: value, at: path.isEmpty ? label : "\(path) \(label)")
    }
    if let text = plainText(value) { return line(text) }
    let (mirror, type) = (Mirror(reflecting: value), "\(type(of: value))")
    let children = mirror.children.enumerated().map { i, child in (child.label ?? "[\(i)]", child.value) }
    switch mirror.displayStyle {
    case .optional: return children.isEmpty ? line("nil") : lines(of: children[0].1, at: path)
    case .enum where children.isEmpty: return line("\(value)")
    case .enum: return line(children[0].0) + below(children[0].0, children[0].1)
    case .collection:
      let texts = children.compactMap { plainText($1) }
      if texts.count == children.count { return line("[\(texts.joined(separator: ", "))]") }
      return line("\(children.count) elements") + children.flatMap(below)
    case .set, .dictionary:
      let elements = children.map { _, value in
        let words = lines(of: value, at: "").map { $0.split(separator: "\t").joined(separator: " ") }
        return words.joined(separator: "; ")
      }
      return line("[\(elements.sorted().joined(separator: ", "))]")
    case .tuple: return children.flatMap(below)
    default:
      if children.isEmpty { return line(type.contains("->") ? "function" : type) }
      return line(type) + children.flatMap { below("\(type) \($0)", $1) }
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
      try forEachPiece(of: 0..<shape[0]) { piece, _ in checksums += piece.fingerprint.utf8 }
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
