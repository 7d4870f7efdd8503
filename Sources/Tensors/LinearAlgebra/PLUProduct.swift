/// W = P L U from one matrix of factors.
///
/// L has a unit diagonal and is stored below the diagonal. U is stored above it; the diagonal of U is sign ·
/// exp(f) for the stored f. The inputs are the factors, `sign`, and `order` (int32): row i of W is row
/// `order[i]` of L U. The results are W and Σ f, and P L and U for the reverse pass.
struct PLUProduct: FusedPrimitive {
  static var isSharedByShards: Bool { true }

  func value(_ inputs: Operands) -> Operands {
    let factors = inputs.storage(0)
    let size = factors.shape[0]
    let lower = Tensor.zeros(factors.shape, dtype: factors.dtype).storage
    let upper = Tensor.zeros(factors.shape, dtype: factors.dtype).storage
    let diagonal = inputs[0].diagonal()
    let scale = (inputs[1] * exp(diagonal)).storage
    let order = inputs.storage(2).ints
    func unpack<S: Scalar>(_: S.Type) {
      let (f, d) = (factors.pointer(to: S.self), scale.pointer(to: S.self))
      let (l, u) = (lower.pointer(to: S.self), upper.pointer(to: S.self))
      for i in 0..<size {
        let from = Int(order[i])
        (l + i * size).update(from: f + from * size, count: from)
        l[i * size + from] = 1
        (u + i * size + i).update(from: f + i * size + i, count: size - i)
        u[i * size + i] = d[i]
      }
    }
    factors.dtype.withScalar { unpack($0) }
    let (pl, u) = (Tensor(lower), Tensor(upper))
    return Operands(matmul(pl, u), diagonal.sum(), pl, u)
  }

  func composed(_ inputs: Operands) -> Operands {
    let factors = inputs[0]
    let lower = factors.triangle(.strictlyLower) + .identity(factors.shape[0], dtype: factors.dtype)
    let pl = lower.gathered(inputs[2], axis: 0)
    let u = factors.triangle(.strictlyUpper) + (inputs[1] * exp(factors.diagonal())).diagonalMatrix()
    return Operands(matmul(pl, u), factors.diagonal().sum(), pl, u)
  }

  // Ū = (P L)ᵀ W̄ on and above the diagonal, and (P L)‾ = W̄ Uᵀ below it. On the diagonal f̄ = Ū sign exp(f)
  // = Ū U.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let result = Tensor.zeros(inputs[0].shape, dtype: inputs[0].dtype).storage
    let size = result.shape[0]
    let logDet = g.optional(1)?.item ?? 0
    let order = inputs.storage(2).ints
    let toLower = g.optional(0).map { matmul($0, outputs[3], transposeB: true).storage }
    let toUpper = g.optional(0).map { matmul(outputs[2], $0, transposeA: true).storage }
    func pack<S: Scalar>(_: S.Type) {
      let (l, u) = (toLower?.pointer(to: S.self), toUpper?.pointer(to: S.self))
      let (upper, f): (UnsafePointer<S>, _) = (outputs.pointer(3), result.pointer(to: S.self))
      for i in 0..<size {
        if let l, let u {
          let to = Int(order[i])
          (f + to * size).update(from: l + i * size, count: to)
          (f + i * size + i).update(from: u + i * size + i, count: size - i)
          f[i * size + i] *= upper[i * size + i]
        }
        f[i * size + i] += S(logDet)
      }
    }
    result.dtype.withScalar { pack($0) }
    return Operands(Tensor(result), nil, nil)
  }
}

/// W = P L U [n, n] and log|det W|, from one matrix of factors.
///
/// L is stored strictly below the diagonal and has ones on it. U is stored strictly above the diagonal. On
/// the diagonal stand logarithms f: that of U is sign · exp(f). Row i of W is row `order[i]` of L U. `sign`
/// is a constant to every transformation.
///
/// - Precondition: a square matrix; `sign` [n]; `order` a permutation of 0..<n (int32).
public func pluProduct(factors: Tensor, sign: Tensor, order: Tensor) -> (weight: Tensor, logDet: Tensor) {
  checkFactors(factors, sign, order)
  let results = apply(PLUProduct(), Operands(factors, sign.detached, order))
  return (results[0], results[1])
}

func checkFactors(_ factors: Tensor, _ sign: Tensor, _ order: Tensor) {
  let size = factors.shape[0]
  require(
    factors.shape == [size, size] && sign.shape == [size] && order.shape == [size]
      && sign.dtype == factors.dtype && order.dtype == .int32,
    "P L U of factors \(factors.shape) \(factors.dtype), sign \(sign.shape), order \(order.shape)")
}
