import Tensors

/// An orthogonal wavelet: its low-pass filter h, from which the high-pass filter g(k) = (−1)ᵏ h(l − 1 − k)
/// follows.
///
/// One level of its transform of a periodic signal x of even length is low(i) = Σ h(k) x(2i + k) and
/// high(i) = Σ g(k) x(2i + k). The rows are orthonormal if Σ h(k) h(k + 2m) is 1 for m = 0 and 0 otherwise.
/// This also holds for signals shorter than the filter, since wrapping keeps sums of products of even shifts.
///
/// Daubechies 1992, *Ten lectures on wavelets*, table 6.1; section 8.2 for coiflets.
public struct Wavelet: Sendable, Hashable {
  /// The low-pass filter.
  public let filter: [Double]

  /// Makes the wavelet of a low-pass filter.
  ///
  /// - Precondition: The filter has an even length and is orthonormal under even shifts to 1e-6.
  public init(filter: [Double]) {
    require(
      filter.count >= 2 && filter.count % 2 == 0, "a wavelet filter has an even length, got \(filter.count)")
    for shift in stride(from: 0, to: filter.count, by: 2) {
      let product = zip(filter, filter.dropFirst(shift)).reduce(0) { $0 + $1.0 * $1.1 }
      require(
        Swift.abs(product - (shift == 0 ? 1 : 0)) < 1e-6,
        "a wavelet filter is orthonormal under even shifts; the product for shift \(shift) is \(product)")
    }
    self.filter = filter
  }

  /// Averages and differences of neighbours: Daubechies' first.
  public static let haar = Wavelet(filter: [(0.5).squareRoot(), (0.5).squareRoot()])
  /// Daubechies' with two vanishing moments: ((1 ± √3), (3 ± √3)) / 4√2.
  public static let db2 = {
    let (root, scale) = ((3.0).squareRoot(), 1 / (4 * (2.0).squareRoot()))
    return Wavelet(filter: [1 + root, 3 + root, 3 - root, 1 - root].map { scale * $0 })
  }()
  /// Daubechies' with three vanishing moments: with a = √10 and b = √(5 + 2√10).
  public static let db3 = {
    let a = (10.0).squareRoot()
    let (b, scale) = ((5 + 2 * a).squareRoot(), 1 / (16 * (2.0).squareRoot()))
    let filter = [
      1 + a + b, 5 + a + 3 * b, 10 - 2 * a + 2 * b, 10 - 2 * a - 2 * b, 5 + a - 3 * b, 1 + a - b,
    ]
    return Wavelet(filter: filter.map { scale * $0 })
  }()
  /// Daubechies' with four vanishing moments.
  public static let db4 = Wavelet(filter: [
    0.23037781330885523, 0.7148465705525415, 0.6308807679295904, -0.02798376941698385, -0.18703481171888114,
    0.030841381835986965, 0.032883011666982945, -0.010597401784997278,
  ])
  /// The first coiflet: with c = √7, (1 − c, 5 + c, 14 + 2c, 14 − 2c, 1 − c, −3 + c) / 16√2.
  public static let coif1 = {
    let (c, scale) = ((7.0).squareRoot(), 1 / (16 * (2.0).squareRoot()))
    let filter = [1 - c, 5 + c, 14 + 2 * c, 14 - 2 * c, 1 - c, -3 + c]
    return Wavelet(filter: filter.map { scale * $0 })
  }()

  private var highPass: [Double] {
    filter.indices.map { ($0 % 2 == 0 ? 1 : -1) * filter[filter.count - 1 - $0] }
  }

  /// Low-pass and high-pass parts along an axis of even size.
  func analysis(_ x: Tensor, axis: Int) -> (low: Tensor, high: Tensor) {
    let half = x.shape[axis] / 2
    let parts = filter.indices.map { k in
      x.gathered(Tensor(ints: (0..<half).map { (2 * $0 + k) % (2 * half) }), axis: axis)
    }
    return (weighted(parts, filter), weighted(parts, highPass))
  }

  /// The inverse, which is the adjoint: x(2m + r) = Σ h(2t + r) low(m − t) + g(2t + r) high(m − t).
  func synthesis(_ low: Tensor, _ high: Tensor, axis: Int) -> Tensor {
    let half = low.shape[axis]
    let parts = (0..<filter.count / 2).flatMap { t in
      let shift = Tensor(ints: (0..<half).map { (($0 - t) % half + half) % half })
      return [low.gathered(shift, axis: axis), high.gathered(shift, axis: axis)]
    }
    func phase(_ r: Int) -> Tensor {
      weighted(parts, (0..<filter.count / 2).flatMap { [filter[2 * $0 + r], highPass[2 * $0 + r]] })
    }
    return interleaved(phase(0), phase(1), axis: axis)
  }

  private func weighted(_ parts: [Tensor], _ weights: [Double]) -> Tensor {
    zip(parts, weights).dropFirst().reduce(parts[0] * weights[0]) { $0 + $1.0 * $1.1 }
  }
}
