/// A primitive with a form in the operations of a graph.
package protocol Lowered {
  /// The results for inputs of which one is followed by the graph.
  func lowered(_ inputs: Operands, in graph: Graph) -> Operands
}

extension Graph {
  /// Applies a primitive whose innermost transformation is this graph.
  func apply(_ primitive: some Primitive, _ inputs: Operands) -> Operands {
    if let lowered = primitive as? any Lowered { return lowered.lowered(inputs, in: self) }
    fail("\(type(of: primitive)) has no form in StableHLO")
    var zeros = inputs
    for i in 0..<inputs.count {
      zeros.set(i, to: inputs.optional(i).map { $0.isSymbolic ? .zeros($0.shape, dtype: $0.dtype) : $0 })
    }
    return primitive.value(zeros)
  }

  /// An operation on tensors whose result has the shape and the dtype of the first.
  func elementwise(_ name: String, _ inputs: Tensor..., attributes: String = "") -> Operands {
    let values = inputs.map(value)
    return Operands(tensor(operation(name, values, attributes, kind(values[0]))))
  }

  /// An operation on one tensor that changes its shape.
  func reshaping(_ name: String, _ x: Tensor, to shape: Shape, _ attributes: String = "") -> Operands {
    let own = value(of: x)
    return Operands(tensor(operation(name, [own], attributes, Kind(shape, kind(own).element))))
  }
}
