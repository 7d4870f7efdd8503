import CKernels
import Tensors

/// The map of `ActNorm`, y = (x − b) eᵃ for rows x [..., n], or its inverse, y e⁻ᵃ + b.
///
/// The inputs are the rows, a and b. The results are the outputs, and Σ a or its negative.
struct ActNormMap: FusedPrimitive {
  let isInverse: Bool

  func value(_ inputs: Operands) -> Operands {
    let (x, bias, scale) = (inputs.storage(0), inputs.storage(2), scale(inputs).storage)
    require(
      scale.shape == [x.shape[-1]] && bias.shape == scale.shape && scale.dtype == x.dtype
        && bias.dtype == x.dtype,
      "ActNorm of \(x.shape) \(x.dtype) with scale \(scale.shape) \(scale.dtype) "
        + "and bias \(bias.shape) \(bias.dtype)")
    let y = Storage(like: x)
    ck_scale_columns(
      x.dtype.kernel, isInverse, x.shape.count(of: 0..<x.shape.rank - 1), bias.count, x.address,
      scale.address, bias.address, y.address)
    return Operands(Tensor(y), logDet(inputs))
  }

  func composed(_ inputs: Operands) -> Operands {
    let (x, bias, scale) = (inputs[0], inputs[2], scale(inputs))
    return Operands(isInverse ? x * scale + bias : (x - bias) * scale, logDet(inputs))
  }

  // With h = ȳ eᵃ: x̄ = h, b̄ = -Σ h and ā = Σ ȳ y. With h = x̄ e⁻ᵃ: ȳ = h, b̄ = Σ x̄ and ā = -Σ h y.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (size, logDet) = (inputs[1].count, g.optional(1).map { isInverse ? -$0 : $0 })
    guard let g = g.optional(0) else {
      return Operands(nil, logDet?.broadcast(to: [size]), nil)
    }
    func sum(_ x: Tensor) -> Tensor { x.reshaped(to: [x.count / max(size, 1), size]).sum(axis: 0) }
    let h = g * scale(inputs)
    let toScale = wanted[1] ? (isInverse ? -sum(h * inputs[0]) : sum(g * outputs[0])) : nil
    return Operands(
      h, toScale.map { scale in logDet.map { scale + $0 } ?? scale },
      wanted[2] ? (isInverse ? sum(g) : -sum(h)) : nil)
  }

  private func scale(_ inputs: Operands) -> Tensor { exp(isInverse ? -inputs[1] : inputs[1]) }

  private func logDet(_ inputs: Operands) -> Tensor {
    let sum = inputs[1].sum()
    return isInverse ? -sum : sum
  }
}
