import CKernels
import Tensors

/// The kernel of rational-quadratic splines: outputs and logarithms of the forward slopes in one pass.
///
/// `composition` defines the function in small primitives, and the kernel computes the same.
struct SplineMap: FusedPrimitive {
  /// Outputs and the logarithms of the forward slopes [N], of numbers [N] with raw parameters [N, count].
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
