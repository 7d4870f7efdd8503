import Tensors

// The text form of a graph, in MLIR's generic syntax.

extension Graph {
  /// A module with one public function. Repeated parts are private functions.
  func module(_ name: String) -> String {
    let label = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    let parts = RepeatedParts(of: self)
    let names = arguments.indices.map { "%arg\($0)" }
    let header = zip(names, arguments).map { "\($0): \(text(kind($1)))" }.joined(separator: ", ")
    let types = results.map { text(kind($0)) }.joined(separator: ", ")
    var lines = ["module @\(label) {"] + parts.functions
    lines.append("  func.func public @main(\(header)) -> (\(types)) {")
    var body = GraphBody(self, "    ", "v")
    for (name, value) in zip(names, arguments) { body.names[value] = name }
    for node in nodesInOrder() where !parts.isInside(node) {
      if let call = parts.calls[node] { body.add(call) } else { body.add(node) }
    }
    let values = results.map { body.name($0) }.joined(separator: ", ")
    lines += body.lines + ["    func.return \(values) : \(types)", "  }", "}", ""]
    return lines.joined(separator: "\n")
  }

  /// The graph as the region of an operation.
  func region(_ indent: String, _ prefix: String) -> String {
    let names = arguments.indices.map { "%\(prefix)arg\($0)" }
    let header = zip(names, arguments).map { "\($0): \(text(kind($1)))" }.joined(separator: ", ")
    var body = GraphBody(self, indent, prefix)
    for (name, value) in zip(names, arguments) { body.names[value] = name }
    for node in nodesInOrder() { body.add(node) }
    let values = results.map { body.name($0) }.joined(separator: ", ")
    let types = results.map { text(kind($0)) }.joined(separator: ", ")
    let lines =
      ["{", "\(indent)^bb0(\(header)):"] + body.lines
      + ["\(indent)\"stablehlo.return\"(\(values)) : (\(types)) -> ()", "\(indent.dropLast(2))}"]
    return lines.joined(separator: "\n")
  }

  /// The nodes that depend on arguments and that results depend on, in order.
  func nodesInOrder() -> [Int] {
    var isNeeded = [Bool](repeating: false, count: nodes.count)
    for result in results { isNeeded[result.node] = true }
    for i in nodes.indices.reversed() where isNeeded[i] {
      for operand in nodes[i].operands { isNeeded[operand.node] = true }
    }
    var varies = [Bool](repeating: false, count: nodes.count)
    for (i, node) in nodes.enumerated() {
      varies[i] = node.name == "argument" || node.operands.contains { varies[$0.node] }
    }
    return nodes.indices.filter { isNeeded[$0] && varies[$0] && nodes[$0].name != "argument" }
  }
}

/// The lines of a body, with the names of the values so far.
struct GraphBody {
  private let graph: Graph
  private let indent, prefix: String
  var names: [Graph.Value: String] = [:]
  private(set) var lines: [String] = []
  private var count = 0

  init(_ graph: Graph, _ indent: String, _ prefix: String) {
    (self.graph, self.indent, self.prefix) = (graph, indent, prefix)
  }

  /// The name of a value. Constants, and operations on constants alone, are written before their first use.
  mutating func name(_ value: Graph.Value) -> String {
    if names[value] == nil { add(value.node) }
    return names[value]!
  }

  /// Writes a node.
  mutating func add(_ i: Int) {
    let node = graph.nodes[i]
    let operands = node.operands.map { name($0) }.joined(separator: ", ")
    let number = count
    let left = newNames(node.kinds.indices.map { Graph.Value(node: i, result: $0) })
    if let constant = node.constant {
      lines.append("\(left) = stablehlo.constant \(graph.dense(constant)) : \(graph.text(node.kinds[0]))")
      return
    }
    var line = "\(left) = \"\(node.name)\"(\(operands))"
    if !node.attributes.isEmpty { line += " <{\(node.attributes)}>" }
    if !node.regions.isEmpty {
      let regions = node.regions.enumerated().map { k, region in
        region.region(indent + "  ", "\(prefix)\(number)_\(k)_")
      }
      line += " (\(regions.joined(separator: ", ")))"
    }
    lines.append(line + types(node.operands, node.kinds))
  }

  /// Writes a call.
  mutating func add(_ call: RepeatedParts.Call) {
    let operands = call.operands.map { name($0) }.joined(separator: ", ")
    let left = newNames(call.results)
    lines.append(
      "\(left) = func.call @\(call.function)(\(operands))"
        + types(call.operands, call.results.map(graph.kind)))
  }

  /// Names for the results of an operation. Returns its left side.
  private mutating func newNames(_ values: [Graph.Value]) -> String {
    let name = "%\(prefix)\(count)"
    count += 1
    if values.count == 1 {
      names[values[0]] = name
      return indent + name
    }
    for (k, value) in values.enumerated() { names[value] = "\(name)#\(k)" }
    return "\(indent)\(name):\(values.count)"
  }

  private func types(_ operands: [Graph.Value], _ results: [Graph.Kind]) -> String {
    let inputs = operands.map { graph.text(graph.kind($0)) }.joined(separator: ", ")
    let outputs = results.map(graph.text).joined(separator: ", ")
    return " : (\(inputs)) -> " + (results.count == 1 ? outputs : "(\(outputs))")
  }
}
