import Tensors

/// log(eˣ + e⁻ˣ), whose derivative is tanh x.
///
/// It is |x| + log(1 + e^(−2|x|)). The derivative of the formula would cancel near 0.
struct LogCosh: Primitive {
  func value(_ inputs: Operands) -> Operands { Operands(softplus(2 * inputs[0]) - inputs[0]) }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(tangents[0] * tanh(inputs[0]))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    Operands(g[0] * tanh(inputs[0]))
  }
}

extension LogCosh: RowwisePrimitive {}

extension LogCosh: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands { value(inputs) }
}
