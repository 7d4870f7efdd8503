/// W = P L U from packed factors: L unit lower and strictly below the diagonal, U strictly above it and sign · exp(f) on
/// it. Inputs: the factors, `sign`, and `order` (int32): row i of W is row `order[i]` of L U. Results: W, Σ f, and P L and U
/// for the way back.
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
    func unpack<T: BinaryFloatingPoint>(
      _ f: UnsafePointer<T>, _ d: UnsafePointer<T>, _ l: UnsafeMutablePointer<T>, _ u: UnsafeMutablePointer<T>
    ) {
      for i in 0..<size {
        let from = Int(order[i])
        (l + i * size).update(from: f + from * size, count: from)
        l[i * size + from] = 1
        (u + i * size + i).update(from: f + i * size + i, count: size - i)
        u[i * size + i] = d[i]
      }
    }
    switch factors.dtype {
    case .float32: unpack(factors.floats, scale.floats, lower.floats, upper.floats)
    case .float64: unpack(factors.doubles, scale.doubles, lower.doubles, upper.doubles)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
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

  // Ū = (P L)ᵀ W̄ above and on the diagonal, (P L)‾ = W̄ Uᵀ below it, and f's is Ū sign exp(f) = Ū U on the diagonal.
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let result = Tensor.zeros(inputs[0].shape, dtype: inputs[0].dtype).storage
    let size = result.shape[0]
    let logDet = cotangents.optional(1)?.item ?? 0
    let order = inputs.storage(2).ints
    func pack<T: BinaryFloatingPoint>(
      _ l: UnsafePointer<T>?, _ u: UnsafePointer<T>?, _ upper: UnsafePointer<T>,
      _ f: UnsafeMutablePointer<T>
    ) {
      for i in 0..<size {
        if let l, let u {
          let to = Int(order[i])
          (f + to * size).update(from: l + i * size, count: to)
          (f + i * size + i).update(from: u + i * size + i, count: size - i)
          f[i * size + i] *= upper[i * size + i]
        }
        f[i * size + i] += T(logDet)
      }
    }
    let g = cotangents.optional(0)
    let toLower = g.map { matmul($0, outputs[3], transposeB: true).storage }
    let toUpper = g.map { matmul(outputs[2], $0, transposeA: true).storage }
    let upper = outputs[3].storage
    switch result.dtype {
    case .float32: pack(toLower?.floats, toUpper?.floats, upper.floats, result.floats)
    case .float64: pack(toLower?.doubles, toUpper?.doubles, upper.doubles, result.doubles)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(result), nil, nil)
  }
}

/// W = P L U [n, n] and log|det W|, from one matrix of factors: L strictly below the diagonal (1 on it), U strictly above,
/// and on the diagonal the logarithms f of U's, which is sign · exp(f). Row i of W is row `order[i]` of L U.
/// `sign` is a constant to every transformation.
///
/// - Precondition: a square matrix; `sign` [n]; `order` a permutation of 0..<n (int32).
public func pluProduct(
  factors: Tensor, sign: Tensor, order: Tensor
) -> (weight: Tensor, logDet: Tensor) {
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
