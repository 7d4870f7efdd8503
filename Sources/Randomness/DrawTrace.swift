import Tensors

/// Writes the draws of a traced sampler into its graph, which takes the key as an argument.
///
/// A call of the program draws some rows. Its state says where it stands in the endless sample of the key:
/// the number of rows so far, and that of each component of a mixture. So calls one after the other draw the
/// rows of one long call.
///
/// A draw has one sample per row. Any other draw, and one by a key of its own, makes the trace fail.
package final class DrawTrace: Sendable {
  @TaskLocal package static var current: DrawTrace?

  /// The distribution of a draw.
  package enum Distribution {
    case normal
    case uniform(Double, Double)
    /// Categories with some logits.
    case categorical(Tensor)
  }

  /// Rows that share a count: all rows, or those of a component.
  private struct Lane {
    /// Ones at its rows, zeros elsewhere; nil for all rows.
    let mask: Tensor?
    /// The number of each row, in 64 bits.
    let numbers: Graph.Value
  }

  private struct State {
    var keys: [Key: GraphKey]
    var lanes: [Lane] = []
    var next: [Graph.Value] = []
  }

  private let graph: Graph
  private let rows: Int
  private let state: Guarded<State>

  /// A trace of a sampler that gets `key`. Adds arguments to the graph: the key's words, int32 of shape [2],
  /// and the state, int32 numbers, whose bits count.
  package init(_ graph: Graph, of key: Key, rows: Int) {
    (self.graph, self.rows) = (graph, rows)
    state = Guarded(State(keys: [key: GraphKey(graph, graph.argument([2], .int32))]))
    let places = graph.places(Graph.Kind([rows], .uint64), axis: 0)
    enter(nil, places, count: graph.constant(rows, Graph.Kind(.scalar, .uint32)))
  }

  /// The key and the state of a first call, as a program takes them behind its other arguments.
  ///
  /// - Parameter stateCount: the number of arguments of the state.
  package static func start(_ key: Key, stateCount: Int) -> [Tensor] {
    let words = [key.high, key.low].map { Int(Int32(bitPattern: $0)) }
    return [Tensor(ints: words)] + (0..<stateCount).map { _ in Tensor(ints: [0], shape: []) }
  }

  /// The state after the call: one number for each argument of the state.
  package var nextState: [Tensor] { state.withLock { $0.next }.map(graph.integers(ofWords:)) }

  /// Notes a child of a key.
  func note(_ child: Key, _ index: UInt64, of key: Key) {
    state.withLock { state in
      if let own = state.keys[key] { state.keys[child] = own.child(index) }
    }
  }

  /// A draw, whose first elements are skipped.
  package func draw(
    _ key: Key, _ distribution: Distribution, _ shape: Shape, _ dtype: DType, from first: Int = 0
  ) -> Tensor {
    let (own, lane) = state.withLock { ($0.keys[key], $0.lanes[$0.lanes.count - 1]) }
    guard let own, shape.rank > 0, shape[0] == rows, first == 0 else {
      let reason =
        first == 0 ? "a draw of \(shape), not one for each of \(rows) rows" : "a draw that skips elements"
      graph.fail(own == nil ? "a draw by a key of its own" : reason)
      return .zeros(shape, dtype: dtype)
    }
    func uniform(_ low: Double, _ high: Double, _ width: Int) -> Tensor {
      own.uniform(graph.counters(lane.numbers, rows, width), low, high, dtype)
    }
    switch distribution {
    case .normal:
      let u = uniform(dtype.nextUp(-1), 1, shape.sample.count)
      return (erfinv(u) * 2.0.squareRoot()).reshaped(to: shape)
    case .uniform(let low, let high): return uniform(low, high, shape.sample.count).reshaped(to: shape)
    case .categorical(let logits):
      let perturbed = logits.detached - log(-log(uniform(dtype.leastNormal, 1, logits.count)))
      return perturbed.placeOfLargest(axis: 1).reshaped(to: shape)
    }
  }

  /// Makes the trace fail for a draw of another kind.
  package func refuse(_ name: StaticString) { graph.fail("a draw of \(name)") }

  /// Runs a draw for the rows of a mask. The draws of these rows have a count of their own.
  package func within<Result, Failure: Error>(
    _ mask: Tensor, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let outer = state.withLock { $0.lanes[$0.lanes.count - 1].mask }
    let mask = outer.map { $0 * mask.detached } ?? mask.detached
    let places = graph.whole(maximum(mask.cumulativeSum(axis: 0) - 1, 0), .uint64)
    enter(mask, places, count: graph.whole(mask.sum(), .uint32))
    defer { state.withLock { _ = $0.lanes.popLast() } }
    return try body()
  }

  /// Begins a lane of `count` rows, of which those so far are an argument.
  private func enter(_ mask: Tensor?, _ places: Graph.Value, count: Graph.Value) {
    let before = graph.words(graph.argument(.scalar, .int32))
    let kind = graph.kind(places)
    let wide = graph.operation("stablehlo.convert", [before], Graph.Kind(.scalar, .uint64))
    let numbers = graph.operation("stablehlo.add", [graph.broadcast(wide, .scalar, kind), places], kind)
    let next = graph.operation("stablehlo.add", [before, count], Graph.Kind(.scalar, .uint32))
    state.withLock { state in
      state.lanes.append(Lane(mask: mask, numbers: numbers))
      state.next.append(next)
    }
  }
}

extension Graph {
  /// The counters of draws of `width` numbers per row, of shape [rows, width].
  fileprivate func counters(_ numbers: Value, _ rows: Int, _ width: Int) -> Value {
    let kind = Kind([rows, width], .uint64)
    let first = operation(
      "stablehlo.multiply", [broadcastRows(numbers, kind), constant(width, kind)], kind)
    return operation("stablehlo.add", [first, places(kind, axis: 1)], kind)
  }

  private func broadcastRows(_ numbers: Value, _ kind: Kind) -> Value {
    operation("stablehlo.broadcast_in_dim", [numbers], "broadcast_dimensions = \(list([0]))", kind)
  }

  /// Whole numbers that are not negative, as words.
  fileprivate func whole(_ x: Tensor, _ element: Element) -> Value {
    let narrow = operation("stablehlo.convert", [value(of: x)], Kind(x.shape, .uint32))
    return element == .uint32 ? narrow : operation("stablehlo.convert", [narrow], Kind(x.shape, element))
  }
}
