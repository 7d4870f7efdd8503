import Tensors

/// The number of steps that an optimizer has done: an integer, or in a trace a value of the graph.
///
/// A traced step holds for all steps, so that the count is one of its arguments.
enum StepCount {
  case known(Int)
  /// The value, `[1]` of dtype int32.
  case traced(Tensor)

  /// The count after this step, as part of a state.
  var next: Params {
    switch self {
    case .known(let count): return .steps(count + 1)
    case .traced(let count):
      let graph = count.graph!
      return .frozen(graph.tensor(graph.plusOne(count)))
    }
  }

  /// The count after this step, as a number of the dtype of another tensor.
  func plusOne(in other: Tensor) -> Tensor {
    switch self {
    case .known(let count): return Tensor(Double(count + 1), dtype: other.dtype)
    case .traced(let count):
      let graph = count.graph!
      let number = graph.operation(
        "stablehlo.convert", [graph.plusOne(count)], Graph.Kind([1], other.dtype))
      return graph.tensor(number).reshaped(to: .scalar)
    }
  }

  /// Whether the count after this step leaves a rest when divided by `interval`, in a trace.
  func isDue(every interval: Int, rest: Int = 0) -> TracedCondition {
    guard case .traced(let count) = self, let graph = count.graph else {
      fatalError("conditions are those of a trace")
    }
    let kind = Graph.Kind([1], Graph.Element.int32)
    let own = graph.operation(
      "stablehlo.remainder", [graph.plusOne(count), graph.constant(interval, kind)], kind)
    return TracedCondition(graph, graph.compare("EQ", own, graph.constant(rest, kind)))
  }
}

extension Graph {
  fileprivate func plusOne(_ count: Tensor) -> Value {
    let kind = Kind([1], Element.int32)
    return operation("stablehlo.add", [value(of: count), constant(1, kind)], kind)
  }
}

/// A condition that is known when a traced step runs.
struct TracedCondition {
  private let graph: Graph
  private let value: Graph.Value

  /// A condition of shape `[1]`.
  init(_ graph: Graph, _ condition: Graph.Value) {
    self.graph = graph
    value = graph.operation("stablehlo.reshape", [condition], Graph.Kind(.scalar, .bool))
  }

  /// The first tree where the condition holds, else the second. They have one structure.
  func choose(_ a: Params, _ b: Params) -> Params {
    var others = b.leaves[...]
    return a.map { leaf in
      let values = [leaf, others.removeFirst()].map(graph.value)
      return graph.tensor(
        graph.operation("stablehlo.select", [value] + values, Graph.Kind(leaf.shape, leaf.dtype)))
    }
  }
}

/// A number that depends on the steps done.
enum StepNumber {
  case known(Double)
  /// A scalar of a graph.
  case traced(Tensor)

  static prefix func - (x: StepNumber) -> StepNumber {
    switch x {
    case .known(let number): .known(-number)
    case .traced(let number): .traced(-number)
    }
  }

  static func * (a: StepNumber, x: Tensor) -> Tensor {
    switch a {
    case .known(let number): number * x
    case .traced(let number): number.cast(to: x.dtype) * x
    }
  }
}

extension Schedule {
  /// The number of steps of the run whose step is traced.
  @TaskLocal static var tracedSteps = 0

  /// The rate after some steps. In a trace it is read from a table of the rates of all steps.
  func callAsFunction(_ count: StepCount, _ params: Params) -> StepNumber {
    switch count {
    case .known(let count): return .known(self(count))
    case .traced(let count):
      let rates = (0...Schedule.tracedSteps).map { self($0) }
      if rates.allSatisfy({ $0 == rates[0] }) { return .known(rates[0]) }
      let dtype = params.learnedLeaves.first?.dtype ?? .float32
      return .traced(Tensor(rates, dtype: dtype).gathered(count, axis: 0).reshaped(to: .scalar))
    }
  }
}

extension Params {
  /// The steps done, which a graph may follow: the frozen leaf `count`.
  func steps(who: String) throws(FlowError) -> StepCount {
    if case .frozen(let count)? = self[path: "count"], count.isSymbolic { return .traced(count) }
    return .known(try stepCount(who: who))
  }

  /// √Σx² over all leaves, where a graph follows them; nil for numbers.
  ///
  /// The leaves are joined, as one sum takes a device less time than a sum per leaf. It goes over rows of
  /// 1024 numbers first, so that it keeps its accuracy in the leaves' dtype.
  var tracedNorm: Tensor? {
    let leaves = leaves
    guard let first = leaves.first, let graph = leaves.lazy.compactMap(\.graph).first else { return nil }
    let count = leaves.reduce(0) { $0 + $1.count }
    let rows = (count + 1023) / 1024
    let fill = Tensor.zeros([1024 * rows - count], dtype: first.dtype)
    let parts = leaves.map { $0.cast(to: first.dtype).reshaped(to: [$0.count]) } + [fill]
    let joined = graph.operation(
      "stablehlo.concatenate", parts.map(graph.value), "dimension = 0 : i64",
      Graph.Kind([1024 * rows], first.dtype))
    return sqrt(square(graph.tensor(joined).reshaped(to: [rows, 1024])).sum(axis: 1).sum())
  }
}
