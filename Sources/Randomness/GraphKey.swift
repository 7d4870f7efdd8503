import Tensors

/// A key whose two words are values of a graph: Threefry-2x32 with 20 rounds as operations on integers.
///
/// Children, words and uniform numbers are those of ``Key``, to the bit.
package struct GraphKey {
  private typealias Kind = Graph.Kind
  private typealias Value = Graph.Value

  private let graph: Graph
  /// The words, scalars of 32 bits.
  private let high, low: Graph.Value

  /// The key of an int32 tensor of shape [2] with the bits of both words.
  package init(_ graph: Graph, _ words: Tensor) {
    let bits = graph.words(words)
    func word(_ i: Int) -> Graph.Value {
      let one = graph.operation(
        "stablehlo.slice", [bits],
        "start_indices = array<i64: \(i)>, limit_indices = array<i64: \(i + 1)>, strides = array<i64: 1>",
        Graph.Kind([1], .uint32))
      return graph.operation("stablehlo.reshape", [one], Graph.Kind(.scalar, .uint32))
    }
    self.init(graph, word(0), word(1))
  }

  private init(_ graph: Graph, _ high: Graph.Value, _ low: Graph.Value) {
    (self.graph, self.high, self.low) = (graph, high, low)
  }

  /// The child of a counter.
  package func child(_ counter: UInt64) -> GraphKey {
    let kind = Kind(.scalar, .uint32)
    let (a, b) = threefry(
      graph.constant(Int(counter >> 32), kind), graph.constant(Int(counter & 0xFFFF_FFFF), kind), kind)
    return GraphKey(graph, a, b)
  }

  /// The hash of counters: arrays of their upper and lower words.
  private func threefry(_ x0: Graph.Value, _ x1: Graph.Value, _ kind: Graph.Kind) -> (Value, Value) {
    func word(_ number: UInt32) -> Value { graph.constant(Int(number), kind) }
    func combined(_ name: String, _ a: Value, _ b: Value) -> Value {
      graph.operation("stablehlo.\(name)", [a, b], kind)
    }
    let own = [high, low].map { graph.broadcast($0, .scalar, kind) }
    let keys = own + [combined("xor", combined("xor", own[0], own[1]), word(0x1BD1_1BDA))]
    var (a, b) = (combined("add", x0, keys[0]), combined("add", x1, keys[1]))
    for group in 0..<5 {
      for turn in group % 2 == 0 ? [13, 15, 26, 6] as [UInt32] : [17, 29, 16, 24] {
        a = combined("add", a, b)
        let turned = combined(
          "or", combined("shift_left", b, word(turn)),
          combined("shift_right_logical", b, word(32 - turn)))
        b = combined("xor", a, turned)
      }
      a = combined("add", a, keys[(group + 1) % 3])
      b = combined("add", combined("add", b, keys[(group + 2) % 3]), word(UInt32(group + 1)))
    }
    return (a, b)
  }

  /// The hash of an array of counters of 64 bits.
  private func hash(_ counters: Graph.Value) -> (Value, Value, Graph.Kind) {
    let (wide, kind) = (graph.kind(counters), Kind(graph.kind(counters).shape, .uint32))
    func narrow(_ x: Value) -> Value { graph.operation("stablehlo.convert", [x], kind) }
    let upper = graph.operation("stablehlo.shift_right_logical", [counters, graph.constant(32, wide)], wide)
    let lower = graph.operation("stablehlo.and", [counters, graph.constant(0xFFFF_FFFF, wide)], wide)
    let (a, b) = threefry(narrow(upper), narrow(lower), kind)
    return (a, b, kind)
  }

  /// Random words of 32 bits, one per counter.
  package func bits(_ counters: Graph.Value) -> Graph.Value {
    let (a, b, kind) = hash(counters)
    return graph.operation("stablehlo.xor", [a, b], kind)
  }

  /// Random words of 64 bits, one per counter.
  package func bits64(_ counters: Graph.Value) -> Graph.Value {
    let (a, b, _) = hash(counters)
    let wide = graph.kind(counters)
    let words = [a, b].map { graph.operation("stablehlo.convert", [$0], wide) }
    let upper = graph.operation("stablehlo.shift_left", [words[0], graph.constant(32, wide)], wide)
    return graph.operation("stablehlo.or", [upper, words[1]], wide)
  }

  /// Uniform numbers on an interval, one per counter: max(low, u · (high − low) + low) for u in [0, 1).
  ///
  /// The upper bits of a word are the fraction of a number in [1, 2).
  func uniform(_ counters: Graph.Value, _ lower: Double, _ upper: Double, _ dtype: DType) -> Tensor {
    let isDouble = dtype == .float64
    let words = isDouble ? bits64(counters) : bits(counters)
    let kind = graph.kind(words)
    let (unused, one) = isDouble ? (12, 0x3FF0_0000_0000_0000) : (9, 0x3F80_0000)
    let fraction = graph.operation(
      "stablehlo.shift_right_logical", [words, graph.constant(unused, kind)], kind)
    let pattern = graph.operation("stablehlo.or", [fraction, graph.constant(one, kind)], kind)
    let number = graph.operation("stablehlo.bitcast_convert", [pattern], Kind(kind.shape, dtype))
    let u = graph.tensor(number) - 1
    let (low, high) = (Tensor(lower, dtype: dtype), Tensor(upper, dtype: dtype))
    return maximum(low, u * (high - low) + low)
  }
}

extension Graph {
  /// The bits of integers, as words.
  package func words(_ integers: Tensor) -> Value {
    operation("stablehlo.bitcast_convert", [value(of: integers)], Kind(integers.shape, .uint32))
  }

  /// Words as integers of the same bits.
  package func integers(ofWords words: Value) -> Tensor {
    tensor(operation("stablehlo.bitcast_convert", [words], Kind(kind(words).shape, Element.int32)))
  }

  /// 0, 1, 2, ... along an axis.
  package func places(_ kind: Kind, axis: Int) -> Value {
    operation("stablehlo.iota", [], "iota_dimension = \(axis) : i64", kind)
  }
}
