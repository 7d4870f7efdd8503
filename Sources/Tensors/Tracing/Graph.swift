/// The operations that a function of tensors does, in the terms of StableHLO.
///
/// A trace calls the function with values that stand for its arguments. Each primitive adds nodes instead of
/// computing numbers. Equal nodes are one, so constants and common expressions occur once. Tapes and dual
/// numbers that begin within the function work as on numbers.
///
/// A function that asks for numbers, or a primitive without a lowering, makes the trace fail. It runs on with
/// zeros, and `failure` says why.
package final class Graph: @unchecked Sendable {
  /// The element type of a value.
  package enum Element: String, Sendable, Hashable {
    case float32 = "f32"
    case float64 = "f64"
    case int32 = "i32"
    case int64 = "i64"
    case uint32 = "ui32"
    case uint64 = "ui64"
    case bool = "i1"

    package init(_ dtype: DType) {
      self = dtype == .float32 ? .float32 : dtype == .float64 ? .float64 : .int32
    }
  }

  /// The shape and the element type of a value.
  package struct Kind: Sendable, Hashable {
    package let shape: Shape
    package let element: Element

    package init(_ shape: Shape, _ element: Element) { (self.shape, self.element) = (shape, element) }
    package init(_ shape: Shape, _ dtype: DType) { self.init(shape, Element(dtype)) }
  }

  /// A result of a node.
  package struct Value: Sendable, Hashable {
    package let node: Int
    package var result = 0

    package init(node: Int, result: Int = 0) { (self.node, self.result) = (node, result) }
  }

  /// One operation.
  package struct Node: Sendable {
    /// The name, such as `stablehlo.add`, or `argument` or `constant`.
    package let name: String
    /// The attributes in the text form of MLIR.
    package let attributes: String
    package let operands: [Value]
    package let kinds: [Kind]
    /// The numbers of a constant.
    package var constant: Tensor?
    /// The condition and the body of a loop.
    package var regions: [Graph] = []
  }

  private struct Known: Hashable {
    let name, attributes: String
    let operands: [Value]
    let kind: Kind
    var bytes: [UInt8] = []
  }

  let level = Level.next()
  /// The graph that holds the loop whose body this graph is.
  private let parent: Graph?
  package private(set) var nodes: [Node] = []
  private var known: [Known: Value] = [:]
  /// The arguments, in order.
  package private(set) var arguments: [Value] = []
  /// The values of the parent that the body uses, after its own arguments.
  private(set) var captured: [Tensor] = []
  private var captures: [Value: Value] = [:]
  /// The results of the function.
  package internal(set) var results: [Value] = []
  /// The reason why the function has no graph; nil if it has one.
  package private(set) var failure: String?

  package init(parent: Graph? = nil) { self.parent = parent }

  /// Notes the first reason why the trace fails.
  package func fail(_ reason: String) {
    if failure == nil { failure = reason }
    parent?.fail(reason)
  }

  /// A value that stands for an argument.
  package func argument(_ shape: Shape, _ dtype: DType) -> Tensor {
    Tensor(Symbolic(self, addArgument(Kind(shape, dtype)), shape, dtype))
  }

  @discardableResult
  private func addArgument(_ kind: Kind) -> Value {
    let value = append(Node(name: "argument", attributes: "", operands: [], kinds: [kind]))
    arguments.append(value)
    return value
  }

  private func append(_ node: Node) -> Value {
    nodes.append(node)
    return Value(node: nodes.count - 1)
  }

  /// The graph that follows some of these tensors above all derivatives; nil if there is none.
  package static func innermost(_ tensors: [Tensor]) -> Graph? {
    guard let innermost = tensors.max(by: { $0.level < $1.level }),
      case .symbolic(let symbolic) = innermost.payload
    else { return nil }
    return symbolic.graph
  }

  /// Traces a function of tensors of some kinds.
  ///
  /// Throws `FlowError.mismatch` for a function that has no graph, with the reason, and rethrows its errors.
  package static func trace(
    _ name: String, of kinds: [(shape: Shape, dtype: DType)],
    _ f: (Graph, [Tensor]) throws -> [Tensor]
  ) throws -> Graph {
    let graph = Graph()
    let arguments = kinds.map { graph.argument($0.shape, $0.dtype) }
    // Rows are not spread over threads.
    graph.results = try Transformation.$isUnderWay.withValue(true) {
      try f(graph, arguments).map(graph.value)
    }
    if let failure = graph.failure {
      throw FlowError.mismatch(
        who: name, what: "a function", expected: "of tensor operations alone, to be traced",
        got: "one that has no graph: \(failure)")
    }
    return graph
  }

  // MARK: - For lowerings

  /// The value of a tensor: its own, a constant, or one of a graph around this one.
  package func value(of tensor: Tensor) -> Value {
    switch tensor.payload {
    case .symbolic(let symbolic) where symbolic.graph === self: return symbolic.value
    case .symbolic(let symbolic):
      if let known = captures[symbolic.value] { return known }
      let own = value(of: argument(symbolic.shape, symbolic.dtype))
      captured.append(tensor)
      captures[symbolic.value] = own
      return own
    case .concrete(let storage): return constant(storage)
    case .dual, .traced:
      fail("a derivative reaches a value outside its function")
      return constant(Tensor.zeros(tensor.shape, dtype: tensor.dtype).storage)
    }
  }

  private func constant(_ storage: Storage) -> Value {
    let tensor = Tensor(storage)
    let bytes = tensor.withBytes { Array($0) }
    let key = Known(
      name: "constant", attributes: "", operands: [], kind: Kind(storage.shape, storage.dtype), bytes: bytes)
    if let value = known[key] { return value }
    let value = append(
      Node(name: "constant", attributes: "", operands: [], kinds: [key.kind], constant: tensor))
    known[key] = value
    return value
  }

  /// An integer of a kind, everywhere.
  package func constant(_ number: Int, _ kind: Kind) -> Value {
    operation("stablehlo.constant", [], "value = dense<\(number)> : \(text(kind))", kind)
  }

  /// The kind of a value.
  package func kind(_ value: Value) -> Kind { nodes[value.node].kinds[value.result] }

  /// The tensor of a value of floating-point numbers.
  package func tensor(_ value: Value) -> Tensor {
    let kind = kind(value)
    return Tensor(
      Symbolic(
        self, value, kind.shape,
        kind.element == .float64 ? .float64 : kind.element == .int32 ? .int32 : .float32))
  }

  /// Adds an operation without attributes.
  package func operation(_ name: String, _ operands: [Value], _ kind: Kind) -> Value {
    operation(name, operands, "", kind)
  }

  /// Adds an operation with one result. An equal one is found again.
  package func operation(
    _ name: String, _ operands: [Value], _ attributes: String, _ kind: Kind
  ) -> Value {
    let key = Known(name: name, attributes: attributes, operands: operands, kind: kind)
    if let value = known[key] { return value }
    let value = append(Node(name: name, attributes: attributes, operands: operands, kinds: [kind]))
    known[key] = value
    return value
  }

  /// Repeats a value by NumPy's rules, seen as one of `shape`.
  package func broadcast(_ value: Value, _ shape: Shape, _ kind: Kind) -> Value {
    if shape == kind.shape { return value }
    let missing = kind.shape.rank - shape.rank
    return operation(
      "stablehlo.broadcast_in_dim", [value],
      "broadcast_dimensions = \(list((0..<shape.rank).map { $0 + missing }))",
      kind)
  }

  /// Whether each number is not 0.
  package func isNonzero(_ value: Value) -> Value {
    let node = nodes[value.node]
    if node.name == "stablehlo.convert", kind(node.operands[0]).element == .bool { return node.operands[0] }
    let own = kind(value)
    let zero = self.value(of: Tensor(0, dtype: own.element == .float64 ? .float64 : .float32))
    return compare("NE", value, broadcast(zero, .scalar, own))
  }

  /// Compares numbers of one kind.
  package func compare(_ direction: String, _ a: Value, _ b: Value) -> Value {
    operation(
      "stablehlo.compare", [a, b], "comparison_direction = #stablehlo<comparison_direction \(direction)>",
      Kind(kind(a).shape, .bool))
  }

  /// Adds a reduction, whose body is a graph.
  func reduction(_ operands: [Value], _ attributes: String, _ kind: Kind, _ body: Graph, _ name: String)
    -> Value
  {
    let key = Known(name: "stablehlo.reduce \(name)", attributes: attributes, operands: operands, kind: kind)
    if let value = known[key] { return value }
    let value = append(
      Node(
        name: "stablehlo.reduce", attributes: attributes, operands: operands, kinds: [kind], regions: [body]))
    known[key] = value
    return value
  }

  /// The same tensor as a value of this graph, under the derivatives that follow it.
  func following(_ x: Tensor) -> Tensor {
    x.level == 0 ? tensor(value(of: x)) : x
  }

  /// Adds a loop that repeats a step `count` times. The step takes its number and the state so far.
  package func loop(
    _ count: Int, _ initial: [Tensor], _ step: (_ i: Tensor, _ state: [Tensor]) -> [Tensor]
  ) -> [Tensor] {
    let (condition, body) = (Graph(parent: self), Graph(parent: self))
    let counter = Kind(.scalar, Element.int32)
    let kinds = initial.map { Kind($0.shape, $0.dtype) }
    let index = body.argument(.scalar, .int32)
    let state = initial.map { body.argument($0.shape, $0.dtype) }
    let number = body.operation(
      "stablehlo.convert", [body.value(of: index)], Kind(.scalar, initial[0].dtype))
    let outputs = step(body.tensor(number), state)
    let one = body.operation(
      "stablehlo.add", [body.value(of: index), body.constant(1, counter)], counter)
    body.results = [one] + outputs.map(body.value)
    // Captured values go around unchanged.
    let captured = body.captured
    body.results += body.arguments.suffix(captured.count)
    let all = [counter] + kinds + captured.map { Kind($0.shape, $0.dtype) }
    let first = condition.argument(.scalar, .int32)
    for kind in all.dropFirst() { condition.addArgument(kind) }
    condition.results = [
      condition.compare("LT", condition.value(of: first), condition.constant(count, counter))
    ]
    let operands = [constant(0, counter)] + (initial + captured).map(value)
    let node = append(
      Node(
        name: "stablehlo.while", attributes: "", operands: operands, kinds: all, regions: [condition, body]))
    return initial.indices.map { tensor(Value(node: node.node, result: $0 + 1)) }
  }

  /// A list of integers as an attribute.
  package func list(_ integers: [Int]) -> String {
    integers.isEmpty ? "array<i64>" : "array<i64: \(integers.map(String.init).joined(separator: ", "))>"
  }

  /// The type of a kind in the text form of MLIR.
  package func text(_ kind: Kind) -> String {
    "tensor<" + kind.shape.sizes.map { "\($0)x" }.joined() + kind.element.rawValue + ">"
  }
}
