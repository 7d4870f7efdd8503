import CKernels
import Tensors

/// The kernel of `Affine`, which computes y = x · exp(s(r)) + t for raw (r, t), or its inverse.
///
/// The results are y, log|det| per row, and s for the reverse pass.
struct AffineMap: FusedPrimitive {
  let scale: LogScale
  let isInverse: Bool
  private let form: ck_scale
  private let parameter: Double

  /// Computes outputs and log|det| per row, for x [..., n] and raw [..., 2n] with all r before all t.
  ///
  /// - Precondition: The shapes and dtypes agree.
  static func map(
    _ x: Tensor, _ raw: Tensor, scale: LogScale, isInverse: Bool
  ) -> (outputs: Tensor, logDet: Tensor) {
    require(
      x.rank >= 2 && raw.shape == x.shape.replacing(-1, by: 2 * x.shape[-1]) && x.dtype == raw.dtype,
      "affine of \(x.shape) \(x.dtype) and raw \(raw.shape) \(raw.dtype)")
    let results =
      AffineMap(scale, isInverse: isInverse).map { apply($0, Operands(x, raw)) }
      ?? composed(x, raw, scale, isInverse: isInverse)
    return (results[0], results[1])
  }

  /// Makes the kernel, or nil for a form of the scale without one.
  init?(_ scale: LogScale, isInverse: Bool) {
    (self.scale, self.isInverse) = (scale, isInverse)
    switch scale {
    case .bounded(let bound): (form, parameter) = (CK_BOUNDED, bound)
    case .exponential: (form, parameter) = (CK_EXPONENTIAL, 0)
    case .sigmoid(let shift): (form, parameter) = (CK_LOG_SIGMOID, shift)
    case .within, .arctangent: return nil
    }
  }

  func value(_ inputs: Operands) -> Operands {
    let (x, raw) = (inputs.storage(0), inputs.storage(1))
    let (y, s) = (Storage(like: x), Storage(like: x))
    let logDet = Storage(shape: Shape(x.shape[0]), dtype: x.dtype)
    let (type, n, rank) = (x.dtype.kernel, x.shape[-1], x.shape.rank)
    ck_affine(
      type, form, parameter, isInverse, x.shape.count(of: 0..<rank - 1), n, x.address, raw.address, y.address,
      s.address)
    ck_sum_rows(type, s.address, logDet.count, x.shape.count(of: 1..<rank), logDet.address)
    if isInverse { ck_unary(type, CK_NEGATE, logDet.address, logDet.address, logDet.count) }
    return Operands(Tensor(y), Tensor(logDet), Tensor(s))
  }

  func composed(_ inputs: Operands) -> Operands {
    Self.composed(inputs[0], inputs[1], scale, isInverse: isInverse)
  }

  private static func composed(_ x: Tensor, _ raw: Tensor, _ scale: LogScale, isInverse: Bool) -> Operands {
    let (s, t) = (scale(raw.block(0, of: 2)), raw.block(1, of: 2))
    return isInverse
      ? Operands((x - t) * exp(-s), -s.sumPerRow(), s) : Operands(x * exp(s) + t, s.sumPerRow(), s)
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (x, raw, y, s) = (inputs.storage(0), inputs.storage(1), outputs.storage(0), outputs.storage(2))
    let perRow = Shape([x.shape[0]] + Array(repeating: 1, count: x.shape.rank - 2))
    let l = g.optional(1)?.reshaped(to: perRow).broadcast(to: x.shape.removing(-1)).storage
    let (gx, graw) = (Storage(like: x), Storage(like: raw))
    ck_affine_pullback(
      x.dtype.kernel, form, parameter, isInverse, x.shape.count(of: 0..<x.shape.rank - 1), x.shape[-1],
      g.optional(0)?.storage.address, l?.address, x.address, raw.address, y.address, s.address,
      gx.address, graw.address)
    return Operands(Tensor(gx), Tensor(graw))
  }
}

extension AffineMap: RowwisePrimitive {}
