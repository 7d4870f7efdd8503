#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The discrete Fourier transform of a complex sequence whose length is a power of two.
///
/// The forward transform leaves its result in bit-reversed order, and the backward one takes that order, so
/// nothing is permuted. Both cost (n/2) log₂n butterflies.
struct Fourier {
  let count: Int
  private let cosines, sines: [Double]

  init(count: Int) {
    self.count = count
    cosines = (0..<count / 2).map { cos(2 * .pi * Double($0) / Double(count)) }
    sines = (0..<count / 2).map { -sin(2 * .pi * Double($0) / Double(count)) }
  }

  /// A bound of the relative error in the 2-norm (Higham 2002, theorem 24.2), and of the error of an entry
  /// relative to the sum of the inputs' sizes.
  var unitError: Double { 4 * Double.ulpOfOne * Double(count.trailingZeroBitCount) }

  /// Decimation in frequency.
  func forward(_ real: inout [Double], _ imaginary: inout [Double]) {
    withPointers(&real, &imaginary) { x, y, c, s in
      var half = count / 2
      while half > 0 {
        let stride = count / (2 * half)
        var start = 0
        while start < count {
          for j in 0..<half {
            let (p, q, t) = (start + j, start + j + half, j * stride)
            let (dx, dy) = (x[p] - x[q], y[p] - y[q])
            x[p] += x[q]
            y[p] += y[q]
            x[q] = dx * c[t] - dy * s[t]
            y[q] = dx * s[t] + dy * c[t]
          }
          start += 2 * half
        }
        half /= 2
      }
    }
  }

  /// Decimation in time, with conjugate twiddles, and without the factor 1/n.
  func backward(_ real: inout [Double], _ imaginary: inout [Double]) {
    withPointers(&real, &imaginary) { x, y, c, s in
      var half = 1
      while half < count {
        let stride = count / (2 * half)
        var start = 0
        while start < count {
          for j in 0..<half {
            let (p, q, t) = (start + j, start + j + half, j * stride)
            let (ux, uy) = (x[q] * c[t] + y[q] * s[t], y[q] * c[t] - x[q] * s[t])
            x[q] = x[p] - ux
            y[q] = y[p] - uy
            x[p] += ux
            y[p] += uy
          }
          start += 2 * half
        }
        half *= 2
      }
    }
  }

  private typealias Pointer = UnsafeMutablePointer<Double>
  private func withPointers(
    _ real: inout [Double], _ imaginary: inout [Double],
    _ body: (Pointer, Pointer, UnsafePointer<Double>, UnsafePointer<Double>) -> Void
  ) {
    if count < 2 { return }
    real.withUnsafeMutableBufferPointer { x in
      imaginary.withUnsafeMutableBufferPointer { y in
        cosines.withUnsafeBufferPointer { c in
          sines.withUnsafeBufferPointer { s in
            body(x.baseAddress!, y.baseAddress!, c.baseAddress!, s.baseAddress!)
          }
        }
      }
    }
  }
}
