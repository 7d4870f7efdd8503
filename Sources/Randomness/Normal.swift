import CKernels
import Tensors

extension Key {
  /// Draws standard normal numbers, √2 · erfinv(u) for u uniform on the open interval (−1, 1).
  ///
  /// Equals `jax.random.normal` within 4 ulp in float32 and 64 ulp in float64. The largest possible
  /// magnitudes are about 5.42 in float32 and 8.3 in float64.
  ///
  /// `first` skips elements: rows a to b of a draw of shape [n, d] are `normal([b - a, d], from: a * d)`, to
  /// the bit.
  ///
  /// - Precondition: The dtype is a floating-point type, and `first` is not negative.
  public func normal(_ shape: Shape, dtype: DType = .float32, from first: Int = 0) -> Tensor {
    if let trace = DrawTrace.current { return trace.draw(self, .normal, shape, dtype, from: first) }
    let rootOfTwo = Tensor(2.0.squareRoot(), dtype: dtype).storage
    // The word of zeros would give −1, and erfinv(−1) is infinite. So the interval starts one number above.
    return uniform("normal", shape, dtype.nextUp(-1), 1, dtype, first) { type, values, count in
      ck_unary(type, CK_ERFINV, values, values, count)
      ck_binary(type, CK_MULTIPLY, values, 1, rootOfTwo.address, 0, values, count)
    }
  }
}
