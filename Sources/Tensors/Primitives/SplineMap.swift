import CKernels

/// A rational-quadratic spline in one pass over its numbers, or its inverse; with the logarithm of the forward slope.
///
/// What it computes is `composition`'s to say, the same in small primitives: its kernels know no other form.
package struct SplineMap: FusedPrimitive {
  /// What shapes a spline, beside its raw parameters.
  package struct Form: Sendable {
    let kernel: ck_spline

    /// Bins within ±bound, with the least bin as a share of the interval, and what is added to raw slopes. Nil for more bins
    /// than the kernel holds.
    package init?(
      bins: Int, isCircular: Bool, bound: Double, minimumBin: Double, minimumDerivative: Double,
      offset: Double
    ) {
      guard bins <= Int(CK_SPLINE_BINS) else { return nil }
      kernel = ck_spline(
        bins: bins, circular: isCircular, bound: bound, least_bin: minimumBin,
        least_derivative: minimumDerivative, offset: offset)
    }
  }

  /// Outputs and the logarithms of the forward slopes [N], of numbers [N] with raw parameters [N, count].
  package typealias Composition = @Sendable (Tensor, Tensor) -> (outputs: Tensor, logSlope: Tensor)

  private let form: Form
  private let isInverse: Bool
  private let composition: Composition

  /// Outputs and the logarithms of the forward slopes.
  package static func map(
    _ x: Tensor, _ raw: Tensor, form: Form, isInverse: Bool, as composition: @escaping Composition
  ) -> (outputs: Tensor, logSlope: Tensor) {
    let results = apply(
      SplineMap(form: form, isInverse: isInverse, composition: composition), Operands(x, raw))
    return (results[0], results[1])
  }

  package func value(_ inputs: Operands) -> Operands {
    let (x, raw) = (inputs.storage(0), inputs.storage(1))
    let (y, logSlope) = (Storage(shape: x.shape, dtype: x.dtype), Storage(shape: x.shape, dtype: x.dtype))
    withUnsafePointer(to: form.kernel) { form in
      switch x.dtype {
      case .float32:
        ck_spline_f32(form, isInverse, x.count, x.floats, raw.floats, y.floats, logSlope.floats)
      case .float64:
        ck_spline_f64(form, isInverse, x.count, x.doubles, raw.doubles, y.doubles, logSlope.doubles)
      case .int32: fatalError("int32 tensors are indices: no arithmetic")
      }
    }
    return Operands(Tensor(y), Tensor(logSlope))
  }

  package func composed(_ inputs: Operands) -> Operands {
    let (y, logSlope) = composition(inputs[0], inputs[1])
    return Operands(y, logSlope)
  }

  package func cotangent(
    _ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands {
    let (x, raw) = (inputs.storage(0), inputs.storage(1))
    let (g, l) = (cotangents.optional(0)?.storage, cotangents.optional(1)?.storage)
    let (gx, graw) = (Storage(shape: x.shape, dtype: x.dtype), Storage(shape: raw.shape, dtype: x.dtype))
    withUnsafePointer(to: form.kernel) { form in
      switch x.dtype {
      case .float32:
        ck_spline_pullback_f32(
          form, isInverse, x.count, g?.floats, l?.floats, x.floats, raw.floats, gx.floats, graw.floats)
      case .float64:
        ck_spline_pullback_f64(
          form, isInverse, x.count, g?.doubles, l?.doubles, x.doubles, raw.doubles, gx.doubles, graw.doubles)
      case .int32: fatalError("int32 tensors are indices: no arithmetic")
      }
    }
    return Operands(Tensor(gx), Tensor(graw))
  }
}
