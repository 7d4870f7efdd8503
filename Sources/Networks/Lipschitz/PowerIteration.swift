import CKernels
import Tensors

/// Power iterations of a matrix W in memory: u ← Wᵀ v, v ← W u, scaled to length 1.
///
/// They are the operations that tensors would take, and give the same bits, without a tensor for each: the
/// vectors are small.
struct PowerIteration {
  private let weight, transposed, scratch, squares: Storage
  private var type: ck_type { weight.dtype.kernel }

  /// Prepares the iterations of a matrix [in, out].
  init(_ matrix: Storage) {
    let (inputs, outputs, dtype) = (matrix.shape[0], matrix.shape[1], matrix.dtype)
    weight = matrix
    transposed = Storage(shape: [outputs, inputs], dtype: dtype)
    ck_transpose(dtype.kernel, matrix.address, inputs, outputs, transposed.address)
    let room = max(
      ck_gemm_scratch(dtype.kernel, 1, outputs, inputs), ck_gemm_scratch(dtype.kernel, 1, inputs, outputs))
    scratch = Storage(shape: [max(room, 1)], dtype: dtype)
    squares = Storage(shape: [max(inputs, outputs)], dtype: dtype)
  }

  /// Moves u [out] and v [in]. An iteration that changes them by rounding alone ends it, and does not count.
  func callAsFunction(_ u: Storage, _ v: Storage, iterations: Int) -> (u: Storage, v: Storage) {
    var (u, v) = (u, v)
    for _ in 0..<iterations {
      let (right, left) = (Storage(like: u), Storage(like: v))
      multiply(v, by: weight, into: right)
      normalize(right, or: u)
      multiply(right, by: transposed, into: left)
      normalize(left, or: v)
      let change = max(largestChange(from: u, to: right), largestChange(from: v, to: left))
      if change <= 8 * weight.dtype.epsilon { break }
      (u, v) = (right, left)
    }
    return (u, v)
  }

  /// An element of a product is the same chain of operations for a matrix and for its transpose.
  private func multiply(_ x: Storage, by matrix: Storage, into y: Storage) {
    ck_gemm(
      type, false, false, 1, 0, 1, y.count, x.count, x.address, matrix.address, nil, CK_IDENTITY_EPILOGUE,
      y.address, scratch.address)
  }

  /// Scales a vector to length 1. One of zeros, or not finite, becomes the other one.
  private func normalize(_ x: Storage, or other: Storage) {
    let size = largest(x)
    guard size > 0, size.isFinite else {
      return x.address.copyMemory(from: other.address, byteCount: x.byteCount)
    }
    divide(x, by: size)
    ck_unary(type, CK_SQUARE, x.address, squares.address, x.count)
    ck_sum_rows(type, squares.address, 1, x.count, squares.address)
    divide(x, by: first(squares).squareRoot())
  }

  private func divide(_ x: Storage, by number: Double) {
    ck_fill(type, number, squares.address, 1)
    ck_binary(type, CK_DIVIDE, x.address, 1, squares.address, 0, x.address, x.count)
  }

  private func largestChange(from x: Storage, to y: Storage) -> Double {
    ck_binary(type, CK_SUBTRACT, y.address, 1, x.address, 1, squares.address, x.count)
    return largest(squares, count: x.count)
  }

  /// The largest absolute value; NaN if there is one.
  private func largest(_ x: Storage, count: Int? = nil) -> Double {
    let count = count ?? x.count
    ck_unary(type, CK_ABS, x.address, squares.address, count)
    ck_max_rows(type, squares.address, 1, count, squares.address)
    return first(squares)
  }

  private func first(_ x: Storage) -> Double {
    x.dtype == .float32 ? Double(x.pointer(to: Float.self)[0]) : x.pointer(to: Double.self)[0]
  }
}
