/// A linear function of one tensor: its tangent rule is the function itself, its cotangent rule the adjoint.
protocol LinearPrimitive: Primitive {
  /// The result for values in memory.
  func value(_ x: Storage) -> Storage

  /// The adjoint of the function at a cotangent `g` of the result, for an input `x`.
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor
}

extension LinearPrimitive {
  func value(_ inputs: Operands) -> Operands { Operands(Tensor(value(inputs.storage(0)))) }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(self(tangents[0]))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    Operands(adjoint(g[0], inputs[0]))
  }
}

/// A product of two tensors, linear in each of them: its tangent rule is the product rule.
protocol BilinearPrimitive: Primitive {}

extension BilinearPrimitive {
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let fromA = tangents.optional(0).map { self($0, inputs[1]) }
    let fromB = tangents.optional(1).map { self(inputs[0], $0) }
    return Operands(sum(fromA, fromB))
  }
}
