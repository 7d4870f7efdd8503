import CKernels

/// A function of each element. Its Jacobian is diagonal, so one derivative serves forward and reverse mode.
struct Elementwise: Primitive {
  /// The kernel of the function.
  let kernel: ck_function
  /// g · f'(x), given g, x and y = f(x).
  let chain: @Sendable (_ g: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor

  func value(_ inputs: Operands) -> Operands {
    let x = inputs.storage(0)
    let y = Storage(like: x)
    ck_unary(x.dtype.kernel, kernel, x.address, y.address, x.count)
    return Operands(Tensor(y))
  }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(chain(tangents[0], inputs[0], outputs[0]))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    Operands(chain(g[0], inputs[0], outputs[0]))
  }
}

extension Elementwise {
  static let negate = Elementwise(kernel: CK_NEGATE) { g, _, _ in -g }
  static let abs = Elementwise(kernel: CK_ABS) { g, x, _ in chainStep(CK_D_ABS, g, x) { g * Tensors.sign(x) }
  }
  static let sign = Elementwise(kernel: CK_SIGN) { g, _, _ in .zeros(g.shape, dtype: g.dtype) }
  static let floor = Elementwise(kernel: CK_FLOOR) { g, _, _ in .zeros(g.shape, dtype: g.dtype) }
  static let square = Elementwise(kernel: CK_SQUARE) { g, x, _ in g * (2 * x) }
  static let reciprocal = Elementwise(kernel: CK_RECIPROCAL) { g, _, y in -(g * Tensors.square(y)) }
  /// The derivative at 0 is taken as 0, which is finite and right for a norm.
  static let sqrt = Elementwise(kernel: CK_SQRT) { g, _, y in
    chainStep(CK_D_SQRT, g, y) {
      let isZero = y .== 0
      return select(where: isZero, 0, g * 0.5 / select(where: isZero, 1, y))
    }
  }
  static let relu = Elementwise(kernel: CK_RELU) { g, _, y in
    chainStep(CK_D_RELU, g, y) { select(where: y .> 0, g, 0) }
  }
  static let exp = Elementwise(kernel: CK_EXP) { g, _, y in g * y }
  static let expm1 = Elementwise(kernel: CK_EXPM1) { g, x, y in
    chainStep(CK_EXPM1, g, x, y) { g * Tensors.exp(x) }
  }
  static let log = Elementwise(kernel: CK_LOG) { g, x, _ in g / x }
  static let log1p = Elementwise(kernel: CK_LOG1P) { g, x, _ in chainStep(CK_D_LOG1P, g, x) { g / (1 + x) } }
  static let tanh = Elementwise(kernel: CK_TANH) { g, x, y in
    chainStep(CK_TANH, g, x, y) { g * tanhSlope(x) }
  }
  static let sigmoid = Elementwise(kernel: CK_SIGMOID) { g, x, y in
    chainStep(CK_SIGMOID, g, x, y) { g * sigmoidSlope(x) }
  }
  /// 1 − tanh²x, whose derivative is −2 tanh x times itself.
  static let tanhSlope = Elementwise(kernel: CK_TANH_SLOPE) { g, x, y in g * (-2 * Tensors.tanh(x) * y) }
  /// σ(x) σ(−x), whose derivative is −tanh(x/2) times itself. The difference σ(−x) − σ(x) would cancel at 0.
  static let sigmoidSlope = Elementwise(kernel: CK_SIGMOID_SLOPE) { g, x, y in
    g * (-Tensors.tanh(0.5 * x) * y)
  }
  static let softplus = Elementwise(kernel: CK_SOFTPLUS) { g, x, _ in
    chainStep(CK_D_SOFTPLUS, g, x) { g * Tensors.sigmoid(x) }
  }
  static let erf = Elementwise(kernel: CK_ERF) { g, x, _ in
    chainStep(CK_D_ERF, g, x) { g * (2 / Double.pi.squareRoot()) * Tensors.exp(-(x * x)) }
  }
  static let erfinv = Elementwise(kernel: CK_ERFINV) { g, _, y in
    chainStep(CK_D_ERFINV, g, y) { g * (Double.pi.squareRoot() / 2) * Tensors.exp(y * y) }
  }
  /// x · Φ(x) with the normal distribution function Φ. The derivative is Φ(x) + x Φ′(x).
  static let gelu = Elementwise(kernel: CK_GELU) { g, x, y in
    chainStep(CK_GELU, g, x, y) {
      let density = Tensors.exp(-0.5 * (x * x)) * (1 / (2 * Double.pi).squareRoot())
      return g * (0.5 * (1 + Tensors.erf(x * 0.5.squareRoot())) + x * density)
    }
  }
  static let sin = Elementwise(kernel: CK_SIN) { g, x, _ in chainStep(CK_D_SIN, g, x) { g * Tensors.cos(x) } }
  static let cos = Elementwise(kernel: CK_COS) { g, x, _ in chainStep(CK_D_COS, g, x) { g * -Tensors.sin(x) }
  }
  static let atan = Elementwise(kernel: CK_ATAN) { g, x, _ in
    chainStep(CK_D_ATAN, g, x) { g * ElementwiseFormula.atanSlope(x) }
  }
}

/// g · f′, in one kernel for values and in small primitives elsewhere.
private func chainStep(_ kernel: ck_operation, _ g: Tensor, _ v: Tensor, composed: () -> Tensor) -> Tensor {
  guard g.level == 0, v.level == 0, g.shape == v.shape else { return composed() }
  return broadcastBinary(kernel, g.storage, v.storage)
}

/// The same for functions whose kernel takes both the argument and the result.
private func chainStep(
  _ kernel: ck_function, _ g: Tensor, _ x: Tensor, _ y: Tensor, composed: () -> Tensor
) -> Tensor {
  guard g.level == 0, x.level == 0, g.shape == x.shape else { return composed() }
  let (g, x, y) = (g.storage, x.storage, y.storage)
  let result = Storage(like: x)
  ck_chain(x.dtype.kernel, kernel, g.address, x.address, y.address, result.address, x.count)
  return Tensor(result)
}

/// g · f′ of tanh or sigmoid for values, given y = f(x) alone. Its error is within some ulps of |g|.
func saturatingStep(_ kernel: ck_operation, _ g: Tensor, _ y: Tensor) -> Tensor {
  broadcastBinary(kernel, g.storage, y.storage)
}

// MARK: - Functions

/// −x.
prefix public func - (x: Tensor) -> Tensor { Elementwise.negate(x) }
/// |x|. The derivative at 0 is 0.
public func abs(_ x: Tensor) -> Tensor { Elementwise.abs(x) }
/// The sign: −1, 0 or 1. The derivative is 0.
public func sign(_ x: Tensor) -> Tensor { Elementwise.sign(x) }
/// The largest integer not above x. The derivative is 0.
public func floor(_ x: Tensor) -> Tensor { Elementwise.floor(x) }
/// x².
public func square(_ x: Tensor) -> Tensor { Elementwise.square(x) }
/// 1 / x.
public func reciprocal(_ x: Tensor) -> Tensor { Elementwise.reciprocal(x) }
/// √x, NaN below 0. The derivative at 0 is taken as 0.
public func sqrt(_ x: Tensor) -> Tensor { Elementwise.sqrt(x) }
/// max(x, 0). The derivative at 0 is 0.
public func relu(_ x: Tensor) -> Tensor { Elementwise.relu(x) }
/// eˣ.
public func exp(_ x: Tensor) -> Tensor { Elementwise.exp(x) }
/// eˣ − 1, accurate near 0.
public func expm1(_ x: Tensor) -> Tensor { Elementwise.expm1(x) }
/// The natural logarithm: −∞ at 0, NaN below.
public func log(_ x: Tensor) -> Tensor { Elementwise.log(x) }
/// log(1 + x), accurate near 0.
public func log1p(_ x: Tensor) -> Tensor { Elementwise.log1p(x) }
/// The hyperbolic tangent.
public func tanh(_ x: Tensor) -> Tensor { Elementwise.tanh(x) }
/// 1 / (1 + e⁻ˣ), accurate in both tails.
public func sigmoid(_ x: Tensor) -> Tensor { Elementwise.sigmoid(x) }
/// log(1 + eˣ), accurate in both tails.
public func softplus(_ x: Tensor) -> Tensor { Elementwise.softplus(x) }
/// log(1 / (1 + e⁻ˣ)) = −softplus(−x), finite for every finite x.
public func logSigmoid(_ x: Tensor) -> Tensor { -softplus(-x) }
/// The error function.
public func erf(_ x: Tensor) -> Tensor { Elementwise.erf(x) }
/// The inverse of the error function on (−1, 1), by Giles' polynomials.
public func erfinv(_ x: Tensor) -> Tensor { Elementwise.erfinv(x) }
/// The sine.
public func sin(_ x: Tensor) -> Tensor { Elementwise.sin(x) }
/// The cosine.
public func cos(_ x: Tensor) -> Tensor { Elementwise.cos(x) }
/// The arc tangent.
public func atan(_ x: Tensor) -> Tensor { Elementwise.atan(x) }
