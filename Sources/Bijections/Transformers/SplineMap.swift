import CKernels
import Tensors

/// The kernel of rational-quadratic splines, which computes outputs and logarithms of forward slopes in one
/// pass.
///
/// `composition` computes the same by small primitives.
struct SplineMap: FusedPrimitive {
  /// A function of numbers [N] and raw parameters [N, count] with results of shape [N].
  typealias Composition = @Sendable (Tensor, Tensor) -> (outputs: Tensor, logSlope: Tensor)

  let form: ck_spline_form
  let isInverse: Bool
  let composition: Composition

  func value(_ inputs: Operands) -> Operands {
    let (x, raw) = (inputs.storage(0), inputs.storage(1))
    let (y, logSlope) = (Storage(like: x), Storage(like: x))
    withUnsafePointer(to: form) { form in
      ck_spline(
        x.dtype.kernel, form, isInverse, x.count, x.address, raw.address, y.address, logSlope.address)
    }
    return Operands(Tensor(y), Tensor(logSlope))
  }

  func composed(_ inputs: Operands) -> Operands {
    let (y, logSlope) = composition(inputs[0], inputs[1])
    return Operands(y, logSlope)
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (x, raw) = (inputs.storage(0), inputs.storage(1))
    let (gx, graw) = (Storage(like: x), Storage(like: raw))
    withUnsafePointer(to: form) { form in
      ck_spline_pullback(
        x.dtype.kernel, form, isInverse, x.count, g.optional(0)?.storage.address,
        g.optional(1)?.storage.address, x.address, raw.address, gx.address, graw.address)
    }
    return Operands(Tensor(gx), Tensor(graw))
  }
}

extension SplineMap: RowwisePrimitive {}
