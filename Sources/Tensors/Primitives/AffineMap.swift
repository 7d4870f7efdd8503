import CKernels

/// How a raw number r becomes the logarithm of a scale.
public enum LogScale: Sendable, Hashable {
  /// c · tanh(r / c): smooth, within ±c, so neither direction can blow up.
  case bounded(Double)
  /// r itself, as RealNVP's paper and jax-flows have it.
  case exponential
  /// log sigmoid(r + shift): a contraction, as Glow's code has it with shift 2.
  case sigmoid(shift: Double)
  /// log(low + (high − low) · sigmoid(r)): a scale between two bounds, 0 ≤ low < high. With low 0 and high 2 it starts at 1.
  case within(low: Double, high: Double)
  /// c · atan r: a logarithm within ±c π/2. With c = 1.272 the clamp of INNs.
  case arctangent(Double)

  /// The logarithm of the scale.
  public func callAsFunction(_ r: Tensor) -> Tensor {
    switch self {
    case .bounded(let bound): bound * tanh(r / bound)
    case .exponential: r
    case .sigmoid(let shift): logSigmoid(r + shift)
    // low + (high - low) / (1 + e^-r) = (high + low e^-r) / (1 + e^-r), by logarithms.
    case .within(0, let high): logSigmoid(r) + log(Tensor(high, dtype: r.dtype))
    case .within(let low, let high):
      logSigmoid(r) + softplus(log(Tensor(low / high, dtype: r.dtype)) - r)
        + log(Tensor(high, dtype: r.dtype))
    case .arctangent(let factor): factor * atan(r)
    }
  }

  /// Whether there is a kernel; the others run in small primitives.
  var isFused: Bool {
    switch self {
    case .bounded, .exponential, .sigmoid: true
    case .within, .arctangent: false
    }
  }

  var kernel: (form: ck_scale, parameter: Double) {
    switch self {
    case .within, .arctangent: fatalError("\(self) has no kernel")
    case .bounded(let bound): (CK_BOUNDED, bound)
    case .exponential: (CK_EXPONENTIAL, 0)
    case .sigmoid(let shift): (CK_LOG_SIGMOID, shift)
    }
  }
}

/// y = x · exp(s(r)) + t for raw (r, t), or its inverse; with log|det| a row, and s for the way back.
struct AffineMap: FusedPrimitive {
  let scale: LogScale
  let isInverse: Bool

  func value(_ inputs: Operands) -> Operands {
    let (x, raw) = (inputs.storage(0), inputs.storage(1))
    let (y, s) = (Storage(shape: x.shape, dtype: x.dtype), Storage(shape: x.shape, dtype: x.dtype))
    let logDet = Storage(shape: [x.shape[0]], dtype: x.dtype)
    let (form, parameter) = scale.kernel
    let (n, rows) = (x.shape[-1], x.shape.count(of: 0..<x.shape.rank - 1))
    let perRow = x.shape.count(of: 1..<x.shape.rank)
    switch x.dtype {
    case .float32:
      ck_affine_f32(form, Float(parameter), isInverse, rows, n, x.floats, raw.floats, y.floats, s.floats)
      ck_sum_rows_f32(s.floats, logDet.count, perRow, logDet.floats)
      if isInverse { ck_unary_f32(CK_NEGATE, logDet.floats, logDet.floats, logDet.count) }
    case .float64:
      ck_affine_f64(form, parameter, isInverse, rows, n, x.doubles, raw.doubles, y.doubles, s.doubles)
      ck_sum_rows_f64(s.doubles, logDet.count, perRow, logDet.doubles)
      if isInverse { ck_unary_f64(CK_NEGATE, logDet.doubles, logDet.doubles, logDet.count) }
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(y), Tensor(logDet), Tensor(s))
  }

  func composed(_ inputs: Operands) -> Operands {
    let n = inputs[0].shape[-1]
    let (x, s, t) = (
      inputs[0], scale(inputs[1].sliced(axis: -1, 0..<n)), inputs[1].sliced(axis: -1, n..<2 * n)
    )
    return isInverse
      ? Operands((x - t) * exp(-s), -s.sumPerRow(), s) : Operands(x * exp(s) + t, s.sumPerRow(), s)
  }

  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let (x, raw, y, s) = (inputs.storage(0), inputs.storage(1), outputs[0].storage, outputs[2].storage)
    let (n, rows) = (x.shape[-1], x.shape.count(of: 0..<x.shape.rank - 1))
    let g = cotangents.optional(0)?.storage
    let perRow = Shape([x.shape[0]] + Array(repeating: 1, count: x.shape.rank - 2))
    let l = cotangents.optional(1)?.reshaped(to: perRow).broadcast(to: x.shape.removing(-1)).storage
    let (gx, graw) = (Storage(shape: x.shape, dtype: x.dtype), Storage(shape: raw.shape, dtype: x.dtype))
    let (form, parameter) = scale.kernel
    switch x.dtype {
    case .float32:
      ck_affine_pullback_f32(
        form, Float(parameter), isInverse, rows, n, g?.floats, l?.floats, x.floats, y.floats, s.floats,
        gx.floats,
        graw.floats)
    case .float64:
      ck_affine_pullback_f64(
        form, parameter, isInverse, rows, n, g?.doubles, l?.doubles, x.doubles, y.doubles, s.doubles,
        gx.doubles,
        graw.doubles)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(gx), Tensor(graw))
  }
}

/// y = x · exp(s(r)) + t, or its inverse x = (y − t) · exp(−s(r)), for x [..., n] and raw [..., 2n], all r before all t; and
/// log|det| a row, ±Σ s.
///
/// - Precondition: shapes and dtypes as said.
public func affine(
  _ x: Tensor, _ raw: Tensor, scale: LogScale, inverse: Bool = false
) -> (outputs: Tensor, logDet: Tensor) {
  require(
    x.rank >= 2 && raw.shape == x.shape.replacing(-1, by: 2 * x.shape[-1]) && x.dtype == raw.dtype,
    "affine of \(x.shape) \(x.dtype) and raw \(raw.shape) \(raw.dtype)")
  let map = AffineMap(scale: scale, isInverse: inverse)
  let results = scale.isFused ? apply(map, Operands(x, raw)) : map.composed(Operands(x, raw))
  return (results[0], results[1])
}
