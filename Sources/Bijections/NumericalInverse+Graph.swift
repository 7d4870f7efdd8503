import Tensors

extension MonotoneInverse: Lowered {
  /// A bisection in the order of floats. It ends at two neighbouring floats, as the search on values does.
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (y, parameters) = (inputs[0], (1..<inputs.count).map { inputs[$0] })
    let largest = y.dtype == .float32 ? Double(Float.greatestFiniteMagnitude) : .greatestFiniteMagnitude
    func end(_ bracket: Tensor?, _ number: Double) -> Tensor {
      guard let bracket else { return .full(y.shape, number, dtype: y.dtype) }
      return select(where: abs(bracket) .<= largest, bracket, number).broadcast(to: y.shape)
    }
    func value(_ x: Tensor) -> Tensor { function(x, parameters).value.broadcast(to: y.shape) }
    let (first, last) = (end(lower, -largest), end(upper, largest))
    let ends = graph.loop(y.dtype == .float32 ? 33 : 65, [first, last]) { _, ends in
      guard let graph = Graph.innermost(ends) else { fatalError("the state of a loop is in its graph") }
      let middle = graph.middle(ends[0], ends[1])
      let value = value(middle)
      // Far out f may be NaN by overflow. The search goes on towards 0.
      let isBelow = select(where: value .== value, value .< y, middle .< 0)
      return [select(where: isBelow, middle, ends[0]), select(where: isBelow, ends[1], middle)]
    }
    let excess = ends.map { abs(value($0) - y) }
    let isLower = select(where: excess[0] .== excess[0], excess[0] .<= excess[1], 0)
    let root = select(where: isLower, ends[0], ends[1])
    let miss = select(where: isLower, excess[0], excess[1])
    // At an end of the bracket the solution may lie beyond.
    let isEnd = (root .== first) + (root .== last)
    let isMissed = isEnd * (1 - (miss .<= 8 * y.dtype.epsilon * abs(y)))
    let isFree = lower == nil && upper == nil
    let found = isFree ? root : select(where: isMissed, .nan, root)
    return Operands(select(where: (abs(y) .<= largest), found, isFree ? y : y * .nan))
  }
}

extension Graph {
  /// The middle of two floats in the order of floats, rounded down.
  fileprivate func middle(_ a: Tensor, _ b: Tensor) -> Tensor {
    let isSingle = a.dtype == .float32
    let integers = Kind(a.shape, isSingle ? .int32 : .int64)
    func both(_ name: String, _ x: Value, _ y: Value) -> Value {
      operation("stablehlo.\(name)", [x, y], integers)
    }
    func shifted(_ x: Value, by bits: Int) -> Value {
      both("shift_right_arithmetic", x, constant(bits, integers))
    }
    /// Exchanges the bits of a float and its place in the order.
    func ordered(_ x: Value) -> Value {
      let largest = isSingle ? Int(Int32.max) : Int.max
      return both("xor", x, both("and", shifted(x, by: isSingle ? 31 : 63), constant(largest, integers)))
    }
    let places = [a, b].map { ordered(operation("stablehlo.bitcast_convert", [value(of: $0)], integers)) }
    let sum = both("and", places[0], places[1])
    let half = shifted(both("xor", places[0], places[1]), by: 1)
    let bits = ordered(both("add", sum, half))
    return tensor(operation("stablehlo.bitcast_convert", [bits], Kind(a.shape, a.dtype)))
  }
}
