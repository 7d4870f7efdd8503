import Bijections
import Randomness
import Tensors

/// A multivariate normal distribution with a full covariance, stored as its Cholesky factor.
///
/// log p(x) = −½ |z|² − Σ logDiagonal − (D/2) log 2π with L z = x − mean for a sample of D numbers. The
/// covariance is L Lᵀ, and L is lower triangular with diagonal exp(logDiagonal). A triangular solve costs
/// O(D²) per row.
///
/// Draws: mean + L ε with ε = `key.normal`, which cost O(D²) and are differentiable by all parameters.
///
/// Parameters: `mean` [D], `logDiagonal` [D] and `entries` [D (D − 1) / 2], the rows of L below its diagonal.
/// So the covariance stays positive definite in training. The leaves are learned or frozen; learned ones
/// start at mean 0 and covariance 1.
///
/// Domain: all reals. A context is ignored. Errors: `mismatch` for a wrong shape or a covariance that is not
/// symmetric and positive definite, and for values that the dtype cannot hold. Values that are not
/// finite give `notFinite`.
public struct MultivariateNormal: Distribution {
  private let mean: Parameter
  private let covariance: Parameter

  /// Makes a distribution with a mean [D] and a covariance [D, D], each given or learned. The defaults learn
  /// both.
  public init(mean: Parameter = .learned, covariance: Parameter = .learned) {
    self.mean = mean
    self.covariance = covariance
  }

  /// Makes a distribution with a given mean and covariance.
  public init(mean: [Double], covariance: [[Double]]) {
    let size = covariance.count
    // Rows of different lengths become a wrong shape, which initialization rejects.
    let isSquare = covariance.allSatisfy { $0.count == size }
    let values = Array(covariance.joined())
    self.init(
      mean: .fixed(mean),
      covariance: .fixed(
        Tensor(values, shape: isSquare ? [size, size] : Shape([values.count]), dtype: .float64)))
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let (size, boundary) = (site.inputDim.count, site.boundary("MultivariateNormal"))
    let constant = 0.5 * Double(size) * 1.8378770664093454836  // log 2π
    let triangle = StrictTriangle(size: size)

    @Sendable func lower(_ params: Params) -> Tensor {
      triangle(params["entries"]) + exp(params["logDiagonal"]).diagonalMatrix()
    }
    @Sendable func logDensity(_ z: Tensor, _ params: Params) -> Tensor {
      -0.5 * square(z).sumPerRow() - constant - params["logDiagonal"].sum()
    }
    return (
      try initialParams(key, size, site),
      LogPDF(boundary) { params, x, _ in
        let columns = (x.reshaped(to: [x.rows, size]) - params["mean"]).transposed()
        return logDensity(triangularSolve(lower(params), columns, lower: true).transposed(), params)
      },
      Sampler(boundary) { key, params, count, _ in
        let z = key.normal([count, size], dtype: site.dtype)
        let x = params["mean"] + matmul(z, lower(params), transposeB: true)
        return (x.reshaped(to: site.inputDim.batched(count)), logDensity(z, params))
      }
    )
  }

  private func initialParams(_ key: Key, _ size: Int, _ site: Site) throws(FlowError) -> Params {
    let who = "MultivariateNormal"
    let zeros = Tensor.zeros([size], dtype: .float64)
    let start = try mean.value("mean", of: who, key.folded(in: 0), neutral: zeros)
    let matrix = try covariance.value(
      "covariance", of: who, key.folded(in: 1), neutral: .identity(size, dtype: .float64))
    guard let factor = choleskyFactor(matrix) else {
      throw .mismatch(
        who: who, what: "covariance", expected: "symmetric and positive definite", got: "\(matrix)")
    }
    let entries = StrictTriangle(size: size).places.map { factor[$0] }
    let diagonal = (0..<size).map { factor[$0 * size + $0] }
    try site.check("mean", start, of: who, orZero: true)
    for number in entries { try site.check("a covariance's factor", number, of: who, orZero: true) }
    for number in diagonal { try site.check("a covariance's factor", number, of: who) }
    return [
      "mean": mean.leaf(start, at: site),
      "logDiagonal": covariance.leaf(log(Tensor(diagonal, dtype: .float64)), at: site),
      "entries": covariance.leaf(Tensor(entries, dtype: .float64), at: site),
    ]
  }
}
