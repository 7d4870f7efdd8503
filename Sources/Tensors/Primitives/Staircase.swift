import CKernels

/// Which weights of a masked layer exist: those from a unit to units of no lower degree, where degrees rise along both
/// axes. As a matrix [in, out] it is a staircase, zero below.
package struct Staircase: Sendable {
  /// Of each output, how many inputs feed it.
  private let limit: [UInt32]
  /// Of each input, the first output that it feeds.
  private let first: [UInt32]

  /// The staircase of rising degrees; nil for degrees that do not rise.
  package init?(from inputs: [Double], to outputs: [Double]) {
    for degrees in [inputs, outputs] where zip(degrees, degrees.dropFirst()).contains(where: { !($0 <= $1) })
    {
      return nil
    }
    var (limit, first) = ([UInt32](), [UInt32]())
    var (i, j) = (0, 0)
    for output in outputs {
      while i < inputs.count, inputs[i] <= output { i += 1 }
      limit.append(UInt32(i))
    }
    for input in inputs {
      while j < outputs.count, outputs[j] < input { j += 1 }
      first.append(UInt32(j))
    }
    (self.limit, self.first) = (limit, first)
  }

  /// 1 where a weight exists.
  package func mask(dtype: DType) -> Tensor {
    let mask = Tensor.zeros([first.count, limit.count], dtype: dtype)
    for (i, start) in first.enumerated() {
      mask.storage.fill(i * limit.count + Int(start), limit.count - Int(start), with: 1)
    }
    return mask
  }

  fileprivate func withKernel<Result>(_ body: (UnsafePointer<ck_staircase>) -> Result) -> Result {
    limit.withUnsafeBufferPointer { limit in
      first.withUnsafeBufferPointer { first in
        withUnsafePointer(to: ck_staircase(limit: limit.baseAddress, first: first.baseAddress)) { body($0) }
      }
    }
  }
}

/// f(x (W ∘ staircase) + b): a dense layer that does the work of the weights that exist.
struct StaircaseDense: FusedPrimitive {
  let staircase: Staircase
  let epilogue: Epilogue

  func value(_ inputs: Operands) -> Operands {
    let (x, weight, bias) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    let y = Storage(shape: [x.shape[0], weight.shape[1]], dtype: x.dtype)
    gemm(false, false, x.shape[0], weight.shape[1], x.shape[1], x, weight, bias, epilogue.kernel, y)
    return Operands(Tensor(y))
  }

  func composed(_ inputs: Operands) -> Operands {
    let weight = inputs[1] * staircase.mask(dtype: inputs[1].dtype)
    return Operands(epilogue(matmul(inputs[0], weight) + inputs[2]))
  }

  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let g = epilogue.pullback(cotangents[0], outputs[0])
    let (x, weight, rows) = (inputs.storage(0), inputs.storage(1), g.rows)
    var result = Operands(nil, nil, wanted[2] ? g.sum(axis: 0) : nil)
    if wanted[0] {
      let gx = Storage(shape: x.shape, dtype: x.dtype)
      gemm(false, true, rows, x.shape[1], g.shape[1], g.storage, weight, nil, CK_IDENTITY_EPILOGUE, gx)
      result.set(0, to: Tensor(gx))
    }
    if wanted[1] {
      let gw = Storage(shape: weight.shape, dtype: x.dtype)
      gemm(true, false, x.shape[1], g.shape[1], rows, x, g.storage, nil, CK_IDENTITY_EPILOGUE, gw)
      result.set(1, to: Tensor(gw))
    }
    return result
  }

  private func gemm(
    _ transposesA: Bool, _ transposesB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Storage, _ b: Storage,
    _ bias: Storage?, _ epilogue: ck_epilogue, _ c: Storage
  ) {
    staircase.withKernel { stairs in
      switch a.dtype {
      case .float32:
        StoragePool.withScratch(ck_gemm_scratch_f32(m, n, k)) {
          ck_gemm_staircase_f32(
            transposesA, transposesB, m, n, k, a.floats, b.floats, stairs, bias?.floats, epilogue, c.floats,
            $0)
        }
      case .float64:
        StoragePool.withScratch(ck_gemm_scratch_f64(m, n, k)) {
          ck_gemm_staircase_f64(
            transposesA, transposesB, m, n, k, a.doubles, b.doubles, stairs, bias?.doubles, epilogue,
            c.doubles, $0)
        }
      case .int32: fatalError("int32 tensors are indices: no arithmetic")
      }
    }
  }
}

/// f(x (W ∘ staircase) + b) for x [rows, in], W [in, out], b [out].
///
/// - Precondition: sizes and dtypes agree.
package func dense(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ epilogue: Epilogue, within staircase: Staircase
) -> Tensor {
  require(
    x.rank == 2 && weight.rank == 2 && x.shape[1] == weight.shape[0] && bias.shape == [weight.shape[1]]
      && x.dtype == weight.dtype && x.dtype == bias.dtype,
    "dense of \(x.shape) \(x.dtype), weight \(weight.shape) \(weight.dtype), bias \(bias.shape) \(bias.dtype)"
  )
  return StaircaseDense(staircase: staircase, epilogue: epilogue)(x, weight, bias)
}
