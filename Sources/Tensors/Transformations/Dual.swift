import Synchronization

/// A dual number over tensors: a value and its tangent.
final class Dual: Sendable {
  let level: Int
  let primal: Tensor
  let tangent: Tensor

  init(level: Int, primal: Tensor, tangent: Tensor) {
    self.level = level
    self.primal = primal
    self.tangent = tangent
  }
}

/// Numbers transformations in the order in which they begin, so that an inner one has the higher level.
///
/// The counter belongs to the process. It tells transformations apart and never touches a value.
enum Level {
  private static let latest = Atomic<Int>(0)
  static func next() -> Int { latest.add(1, ordering: .relaxed).newValue }
}

/// Forward mode: applies a primitive to the primals, and its tangent rule to the tangents.
func applyForward(_ primitive: some Primitive, _ inputs: Operands, level: Int) -> Operands {
  var primals = inputs
  var tangents = Operands(absent: inputs.count)
  for i in 0..<inputs.count {
    guard case .dual(let dual)? = inputs.optional(i)?.payload, dual.level == level else { continue }
    primals.set(i, to: dual.primal)
    tangents.set(i, to: dual.tangent)
  }
  let outputs = apply(primitive, primals)
  let outputTangents = primitive.tangent(tangents, primals, outputs)
  var results = outputs
  for i in 0..<outputs.count {
    guard let tangent = outputTangents.optional(i) else { continue }
    results.set(i, to: Tensor(Dual(level: level, primal: outputs[i], tangent: tangent)))
  }
  return results
}
