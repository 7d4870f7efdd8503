/// The two parts of a tensor before and from a position of an axis. Its reverse pass joins their cotangents.
struct Cut: FusedPrimitive {
  let axis, position: Int

  private func slices(of x: Shape) -> (Slice, Slice) {
    (
      Slice(axis: axis, start: 0, count: position, step: 1),
      Slice(axis: axis, start: position, count: x[axis] - position, step: 1)
    )
  }

  func value(_ inputs: Operands) -> Operands {
    let x = inputs.storage(0)
    let (first, second) = slices(of: x.shape)
    return Operands(Tensor(first.value(x)), Tensor(second.value(x)))
  }

  func composed(_ inputs: Operands) -> Operands {
    let (first, second) = slices(of: inputs[0].shape)
    return Operands(first(inputs[0]), second(inputs[0]))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (first, second) = slices(of: inputs[0].shape)
    guard let a = g.optional(0) else { return Operands(second.adjoint(g[1], inputs[0])) }
    guard let b = g.optional(1) else { return Operands(first.adjoint(a, inputs[0])) }
    return Operands(concatenate(a, b, axis: axis))
  }
}

extension Tensor {
  /// The parts before and from a position of an axis, with less work in a gradient than two slices take.
  ///
  /// - Precondition: The position lies within the axis.
  package func cut(axis: Int, at position: Int) -> (Tensor, Tensor) {
    let axis = shape.resolved(axis)
    require(
      position >= 0 && position <= shape[axis], "cut at \(position) of axis \(axis) of shape \(shape)")
    let parts = apply(Cut(axis: axis, position: position), Operands(self))
    return (parts[0], parts[1])
  }
}
