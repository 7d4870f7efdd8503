import Tensors

/// The parts of a graph that occur several times, such as equal layers, as functions.
///
/// Runs of operations with equal names, attributes and kinds are candidates. Those whose texts are equal,
/// once their values are numbered by first use, share a function. Constants of one number stand in each
/// function, and all other values from outside are arguments.
struct RepeatedParts {
  /// A call in the place of operations.
  struct Call {
    let function: String
    let operands, results: [Graph.Value]
  }

  /// The texts of the functions.
  private(set) var functions: [String] = []
  /// The calls, by the first node of each.
  private(set) var calls: [Int: Call] = [:]
  private var inside: Set<Int> = []

  /// Whether a call stands for a node, and begins at another.
  func isInside(_ node: Int) -> Bool { inside.contains(node) && calls[node] == nil }

  /// A shorter run does not pay.
  private static let shortest = 8
  /// The number of runs that are tried in vain.
  private static let mostFailures = 50

  init(of graph: Graph) {
    let order = graph.nodesInOrder()
    if order.count < 2 * Self.shortest { return }
    let (users, isFree) = (graph.users, graph.isFree)
    var failures = 0
    for run in RepeatedRun.all(in: graph.signatures(order), atLeast: Self.shortest) {
      let places = run.starts.map { Array(order[$0..<$0 + run.length]) }
        .filter { $0.allSatisfy { !inside.contains($0) } }
      if places.count < 2 { continue }
      let known = functions.count
      let parts = places.map { Part($0, of: graph, isFree) }
      // Parts that use values from outside in other ways have other texts.
      let groups = Dictionary(grouping: parts, by: \.key).values.filter { $0.count > 1 }
      for equal in groups.sorted(by: { $0[0].nodes[0] < $1[0].nodes[0] }) {
        add(equal, of: graph, users)
      }
      // The runs that follow save less.
      failures += functions.count == known ? 1 : 0
      if failures > Self.mostFailures { return }
    }
  }

  /// Makes a function of equal parts, if that shortens the text.
  private mutating func add(_ parts: [Part], of graph: Graph, _ users: [[Int]]) {
    let results = Set(parts.flatMap { $0.results(users, graph) }).sorted()
    let name = "part_\(functions.count)"
    let text = parts[0].function(name, results, in: graph)
    let own = parts.map { part in
      Call(function: name, operands: part.outside, results: results.map { part.value($0) })
    }
    let callSize = 60 + 20 * (own[0].operands.count + own[0].results.count)
    guard text.utf8.count + parts.count * callSize < parts.count * parts[0].key.utf8.count else { return }
    functions.append(text)
    for (part, call) in zip(parts, own) {
      calls[part.nodes[0]] = call
      inside.formUnion(part.nodes)
    }
  }
}

/// A run of operations, with the values that it takes from outside.
private struct Part {
  let nodes: [Int]
  /// The text of the operations, with values numbered by first use.
  let key: String
  let outside: [Graph.Value]
  private let names: [Graph.Value: String]

  init(_ nodes: [Int], of graph: Graph, _ isFree: [Bool]) {
    self.nodes = nodes
    let own = Set(nodes)
    var outside: [Graph.Value] = []
    var body = GraphBody(graph, "    ", "v")
    for node in nodes {
      // Values from outside become arguments before the operation is written.
      for operand in graph.nodes[node].operands
      where body.names[operand] == nil && !own.contains(operand.node) && !isFree[operand.node] {
        body.names[operand] = "%arg\(outside.count)"
        outside.append(operand)
      }
      body.add(node)
    }
    (self.outside, names, key) = (outside, body.names, body.lines.joined(separator: "\n"))
  }

  /// A result of the part: the number of its operation, and that of the result.
  struct Place: Hashable, Comparable {
    let operation, result: Int
    static func < (a: Place, b: Place) -> Bool { (a.operation, a.result) < (b.operation, b.result) }
  }

  /// The results that others use.
  func results(_ users: [[Int]], _ graph: Graph) -> [Place] {
    let own = Set(nodes)
    return nodes.enumerated().flatMap { k, node in
      graph.nodes[node].kinds.indices.filter { result in
        let value = Graph.Value(node: node, result: result)
        return graph.results.contains(value)
          || users[node].contains { !own.contains($0) && graph.nodes[$0].operands.contains(value) }
      }.map { Place(operation: k, result: $0) }
    }
  }

  func value(_ place: Place) -> Graph.Value {
    Graph.Value(node: nodes[place.operation], result: place.result)
  }

  /// The text of a function with some results.
  func function(_ name: String, _ results: [Place], in graph: Graph) -> String {
    let values = results.map(value)
    let header = outside.map { "\(names[$0]!): \(graph.text(graph.kind($0)))" }.joined(separator: ", ")
    let types = values.map { graph.text(graph.kind($0)) }.joined(separator: ", ")
    return """
        func.func private @\(name)(\(header)) -> (\(types)) {
      \(key)
          func.return \(values.map { names[$0]! }.joined(separator: ", ")) : \(types)
        }
      """
  }
}

extension Graph {
  /// The nodes that use results of each node.
  fileprivate var users: [[Int]] {
    var users = [[Int]](repeating: [], count: nodes.count)
    for i in nodesInOrder() {
      for operand in nodes[i].operands where users[operand.node].last != i { users[operand.node].append(i) }
    }
    return users
  }

  /// Equal numbers for operations that are equal but for their operands.
  fileprivate func signatures(_ order: [Int]) -> [Int] {
    var numbers: [String: Int] = [:]
    return order.map { i in
      let node = nodes[i]
      let kinds = (node.operands.map(kind) + node.kinds).map(text).joined(separator: " ")
      let regions = node.regions.map { $0.region("", "") }.joined()
      let text = "\(node.name) \(node.attributes) \(kinds) \(regions)"
      let number = numbers[text] ?? numbers.count
      numbers[text] = number
      return number
    }
  }

  /// Whether each node follows from constants of one number each, so that it costs little anywhere.
  fileprivate var isFree: [Bool] {
    var isFree = [Bool](repeating: false, count: nodes.count)
    for (i, node) in nodes.enumerated() {
      isFree[i] =
        node.constant.map(hasOneNumber)
        ?? (node.name != "argument" && node.regions.isEmpty && node.operands.allSatisfy { isFree[$0.node] })
    }
    return isFree
  }
}
