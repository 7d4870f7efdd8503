/// A function of each element without a kernel. Its derivative is given, where that of the formula is worse.
struct ElementwiseFormula: Primitive {
  /// The function of values.
  let formula: @Sendable (_ x: Tensor) -> Tensor
  /// g · f'(x), given g, x and y = f(x).
  let chain: @Sendable (_ g: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor

  func value(_ inputs: Operands) -> Operands { Operands(formula(inputs[0])) }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(chain(tangents[0], inputs[0], outputs[0]))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    Operands(chain(g[0], inputs[0], outputs[0]))
  }

  /// y = 1 / (1 + x²). Its derivative is −2 x y · y in this order, since y² would underflow too early.
  static let atanSlope = ElementwiseFormula {
    1 / (1 + $0 * $0)
  } chain: { g, x, y in
    g * (-2 * x * y) * y
  }
  /// log(1 − tanh² x), which is 2 (log 2 − x − log(1 + e⁻²ˣ)) far from 0. Near 0 that form would cancel, and
  /// so would its derivative −2 tanh x.
  static let logTanhSlope = ElementwiseFormula { x in
    let far = 2 * (0.69314718055994530942 - x - Tensors.softplus(-2 * x))
    let isNear = Tensors.abs(x) .< 0.5
    return select(where: isNear, Tensors.log1p(-Tensors.square(Tensors.tanh(x))), far)
  } chain: { g, x, _ in
    g * (-2 * Tensors.tanh(x))
  }
  /// log(σ(x) σ(−x)). The derivative σ(−x) − σ(x) of that form would cancel at 0; it is −tanh(x/2).
  static let logSigmoidSlope = ElementwiseFormula {
    -Tensors.softplus($0) - Tensors.softplus(-$0)
  } chain: { g, x, _ in
    g * -Tensors.tanh(0.5 * x)
  }
}

/// 1 − tanh²x, the derivative of tanh, accurate in both tails.
package func tanhSlope(_ x: Tensor) -> Tensor { Elementwise.tanhSlope(x) }
/// log(1 − tanh²x), accurate near 0 and in both tails, with the derivative −2 tanh x.
package func logTanhSlope(_ x: Tensor) -> Tensor { ElementwiseFormula.logTanhSlope(x) }
/// σ(x) σ(−x), the derivative of σ, accurate in both tails.
package func sigmoidSlope(_ x: Tensor) -> Tensor { Elementwise.sigmoidSlope(x) }
/// log(σ(x) σ(−x)), finite for every finite x, with the derivative −tanh(x/2).
package func logSigmoidSlope(_ x: Tensor) -> Tensor { ElementwiseFormula.logSigmoidSlope(x) }
