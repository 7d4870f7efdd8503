import Bijections
import Distributions
import Networks
import Randomness
import Tensors

extension Flow {
  /// Makes an autoregressive flow of the numbers in one order, from which some can be drawn given others.
  ///
  /// yᵢ depends on x₁ … xᵢ in three steps: a linear map, which starts by whitening the data; a shift and a
  /// scale; and a rational-quadratic spline with tails. Each step is triangular, so their composition is
  /// too. log q(xᵢ | x₁ … xᵢ₋₁) = log prior(yᵢ) + log ∂yᵢ/∂xᵢ, with a prior of independent numbers: normal
  /// with a small share of Student's t. One order suffices for any density, since the maps of each
  /// conditional can have any shape. `layers` repeats the last two steps.
  public static func orderedSplines(
    layers: Int = 2, hidden: [Int] = [128, 128], bins: Int = 16, bound: Double = 4
  ) -> Flow {
    Flow(
      OrderedSplines(layers: layers, hidden: hidden, bins: bins, bound: bound), prior: HeavyNormal())
  }
}

/// The map of `Flow.orderedSplines`.
struct OrderedSplines: ComposedBijection {
  let composed: any Bijection

  init(layers: Int, hidden: [Int], bins: Int, bound: Double) {
    let spline = RationalQuadraticSpline(bins: bins, bound: bound)
    composed = Serial(
      [Whitening()]
        + (0..<layers).flatMap { _ -> [any Bijection] in
          [
            Autoregressive(MADE(hidden: hidden), Affine(scale: .bounded(5))),
            Autoregressive(MADE(hidden: hidden), spline),
          ]
        })
  }
}

/// A `TriangularAffine` that starts by whitening a batch: y = L⁻¹ (x − mean) for the covariance L Lᵀ.
struct Whitening: Bijection {
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    var result = try TriangularAffine(.lower).initialize(key, at: site)
    guard let data = site.initInputs?.cast(to: .float64), data.rows > 1 else { return result }
    let (n, mean) = (site.channels, data.mean(axis: 0))
    let centered = data - mean
    let covariance = matmul(centered, centered, transposeA: true) / Double(data.rows)
    let inverse = Whitening.inverseFactor(covariance.doubles, n)
    let matrix = Tensor(inverse, shape: [n, n], dtype: .float64)
    let bias = -matmul(matrix, mean.reshaped(to: [n, 1])).reshaped(to: [n])
    let diagonal = Tensor((0..<n).map { inverse[$0 * n + $0] }, dtype: .float64)
    result.params = [
      "entries": .leaf(
        Tensor(StrictTriangle(size: n).places.map { inverse[$0] }, dtype: site.dtype)),
      "logScale": .leaf(log(diagonal).cast(to: site.dtype)), "bias": .leaf(bias.cast(to: site.dtype)),
    ]
    return result
  }

  /// The inverse of a covariance's Cholesky factor. Variances that others explain are kept above a share of
  /// 10⁻⁶.
  private static func inverseFactor(_ a: [Double], _ n: Int) -> [Double] {
    var l = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0...i {
        let rest = (0..<j).reduce(a[i * n + j]) { $0 - l[i * n + $1] * l[j * n + $1] }
        l[i * n + j] =
          i == j ? max(rest, 1e-6 * a[i * n + i], 1e-12).squareRoot() : rest / l[j * n + j]
      }
    }
    var inverse = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      inverse[i * n + i] = 1 / l[i * n + i]
      for j in 0..<i {
        let sum = (j..<i).reduce(0.0) { $0 + l[i * n + $1] * inverse[$1 * n + j] }
        inverse[i * n + j] = -sum / l[i * n + i]
      }
    }
    return inverse
  }
}
