import Bijections
import Randomness
import Tensors

extension Flow: CustomStringConvertible {
  /// The layers, one per line, and the prior. `summary(inputDim:)` adds shapes and numbers of parameters.
  public var description: String {
    (["Flow"] + Flow.lines(bijection, "  ") + ["  prior: \(type(of: prior))"]).joined(separator: "\n")
  }

  /// Makes a table of the layers with their shapes and numbers of learned parameters.
  ///
  /// - Throws: The errors of the layers for these shapes.
  public func summary(inputDim: Shape, contextDim: Shape? = nil) throws(FlowError) -> String {
    let (params, logPDF, _) = try self(Key(0), inputDim: inputDim, contextDim: contextDim)
    var (rows, seen): ([(name: String, shapes: String, count: Int)], Set<[String]>) = ([], [])
    for (layer, path) in logPDF.mapping.layers() where path.first == "bijection" {
      let count = layer.learnedCount
      let isNew = count == 0 || seen.insert(path).inserted
      rows.append((layer.name, "\(layer.domain.shape) → \(layer.codomain.shape)", isNew ? count : 0))
    }
    let embeddings = params.child("bijection").learnedCount - rows.reduce(0) { $0 + $1.count }
    if embeddings > 0 { rows.append(("contexts", "", embeddings)) }
    rows.append(("prior: \(type(of: prior))", "", params.child("prior").learnedCount))
    rows.append(("total", "", params.learnedCount))

    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: width - text.count)
    }
    let (names, shapes) = (rows.map(\.name.count).max() ?? 0, rows.map(\.shapes.count).max() ?? 0)
    return rows.map { "\(padded($0.name, names))  \(padded($0.shapes, shapes))  \($0.count)" }.joined(
      separator: "\n")
  }

  /// A line for each layer. The layers of a `Serial` stand at its own level.
  private static func lines(_ bijection: any Bijection, _ indent: String) -> [String] {
    if bijection is Serial || bijection is AnyBijection {
      return bijection.members.flatMap { lines($0, indent) }
    }
    func name(_ bijection: any Bijection) -> String { String("\(type(of: bijection))".prefix { $0 != "<" }) }
    if let inner = (bijection as? Inverted)?.bijection, inner.members.isEmpty {
      return ["\(indent)Inverted(\(name(inner)))"]
    }
    return ["\(indent)\(name(bijection))"] + bijection.members.flatMap { lines($0, indent + "  ") }
  }
}
