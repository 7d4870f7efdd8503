import Bijections
import Distributions
import Randomness
import Tensors

/// The curvature of a loss in its parameters, for a Laplace approximation.
public enum Curvature: Sendable, Hashable {
  /// The Hessian of minus the log-likelihood, exact. It is positive at a maximum alone.
  ///
  /// It takes one Hessian-vector product per number, about four evaluations of all rows.
  case hessian
  /// The empirical Fisher information: the sum over the rows of g gᵀ, with the gradient g of a row's
  /// log-density. It is never negative.
  ///
  /// It takes one pass of gradients by row. It is near the Hessian where the model is near the truth.
  case fisher
}

/// The covariance of a Laplace approximation.
public enum LaplaceCovariance: Sendable, Hashable {
  /// Independent numbers: the inverse of the precision's diagonal.
  case diagonal
  /// The inverse of the whole precision. Its memory is the square of the numbers, its time the cube.
  case full
}

/// Laplace's approximation of the posterior of parameters around a fit.
///
/// ```swift
/// let posterior = try laplacePosterior(
///   fitted.logPDF, fitted.params, of: data, over: ["bijection/3"], covariance: .full)
/// let samples = try posterior.samples(50, key: Key(1))
/// ```
///
/// The precision is the curvature of minus the log-likelihood of all rows, plus 1 / σ² for a prior N(0, σ²)
/// of each number. It is taken at the parameters as they are, so fit to all rows and to the end. The other
/// leaves keep their values.
///
/// With `.hessian` it is the exact posterior where the log-density is quadratic in the parameters, such as
/// the location of a normal distribution. A diagonal covariance holds each number's variance given the
/// others, which is less than its own where they are correlated.
///
/// MacKay 1992, *A practical Bayesian framework for backpropagation networks*; Daxberger et al. 2021,
/// *Laplace redux*, arXiv 2106.14806.
///
/// - Parameters:
///   - logPDF: the log-density that takes the parameters.
///   - params: the parameters, at a maximum of the posterior.
///   - data: the rows.
///   - context: one row of context per row.
///   - weights: the importance of each row, as in `fit`: only ratios matter, and rows of weight 0 are left
///     out.
///   - prior: the standard deviation σ of the prior.
///   - paths: the leaves of which the posterior is taken, with wildcards as in `Tree.freezing`. The branch of
///     the last layer gives a last-layer approximation.
///   - covariance: independent numbers, or all correlations.
///   - curvature: the exact Hessian, or the empirical Fisher information.
/// - Throws:
///   - `FlowError.mismatch` for no rows, shapes that do not fit, a distribution that couples rows, and a
///     precision that is not positive definite;
///   - `.structure` for paths without a learned leaf, and for other parameters;
///   - `.notFinite` for a curvature that is NaN or infinite;
///   - the errors of the log-density.
/// - Precondition: a positive prior deviation.
public func laplacePosterior(
  _ logPDF: LogPDF, _ params: Params, of data: Tensor, given context: Tensor? = nil, weights: Tensor? = nil,
  prior: Double = 1, over paths: [String] = ["**"], covariance: LaplaceCovariance = .diagonal,
  curvature: Curvature = .fisher
) throws -> NormalPosterior {
  let who = "laplacePosterior"
  require(prior > 0 && prior.isFinite, "a prior has a positive deviation, got \(prior)")
  if logPDF.traits.contains(.couplesRows) {
    throw FlowError.mismatch(
      who: who, what: "a distribution", expected: "whose rows are independent", got: logPDF.boundary.name)
  }
  try logPDF.boundary.checkShapes(params, data, given: context)
  let chosen = Set(params.learned.paths).subtracting(try params.freezing(paths).learned.paths)
  let point = try Freezing { !chosen.contains($0) }(params)
  if chosen.isEmpty {
    throw FlowError.structure(who: who, expected: "  a learned leaf under \(paths)", got: params.outline)
  }
  let used = try TrainingRows(data, context, weights, heldOut: 0, key: Key(0), who: who)
  let order = used.training.sorted()
  let rows = CurvatureRows(
    logPDF: logPDF, point: point, data: data.rows(order), context: context?.rows(order),
    weights: used.weights(order))
  try logPDF.checkSupport(params, rows.data, given: rows.context)
  let isFull = covariance == .full
  var precision = curvature == .hessian ? try rows.hessian(isFull) : try rows.fisher(isFull)
  if !precision.isFinite { throw FlowError.notFinite(who: who, what: "curvature", row: nil) }
  let own = point.learned.paths
  let size = point.learnedCount
  func notPositive(_ got: String) -> FlowError {
    .mismatch(
      who: who, what: "a precision",
      expected: "that is positive: fit longer, without held-out rows, or take the curvature .fisher", got: got
    )
  }
  if isFull {
    precision = precision + Tensor.identity(size, dtype: .float64) / (prior * prior)
    // With Λ = L Lᵀ, L⁻ᵀ z has the covariance Λ⁻¹.
    guard let lower = choleskyFactor(precision) else { throw notPositive("one that is not") }
    let factor = triangularSolve(
      Tensor(doubles: lower, shape: [size, size]), .identity(size, dtype: .float64), lower: true,
      transposed: true)
    return NormalPosterior(mean: params, deviations: [:], factor: factor, over: own)
  }
  precision = precision + 1 / (prior * prior)
  if let least = precision.doubles.min(), least <= 0 { throw notPositive("\(least)") }
  let deviations = point.learned.unflattened(1 / sqrt(precision))
  return NormalPosterior(
    mean: params,
    deviations: Dictionary(
      uniqueKeysWithValues: zip(own, zip(deviations.leaves, point.learnedLeaves)).map {
        ($0, $1.0.cast(to: $1.1.dtype))
      }))
}

/// The rows of a curvature, which is a sum over them in float64.
private struct CurvatureRows: Sendable {
  let logPDF: LogPDF
  let point: Params
  let data: Tensor
  let context: Tensor?
  let weights: Tensor?

  /// The Hessian [numbers, numbers], or its diagonal, by one product per number. Products run on all cores.
  func hessian(_ isFull: Bool) throws -> Tensor {
    let (learned, size) = (point.learned, point.learnedCount)
    let columns = try concurrentMap(size, threadsEach: 1) { column, _ -> Tensor in
      let dtype = point.learnedLeaves[0].dtype
      let unit = Tensor((0..<size).map { $0 == column ? 1 : 0 }, dtype: dtype)
      var total = Tensor.zeros(isFull ? [size] : [1], dtype: .float64)
      for start in stride(from: 0, to: data.rows, by: 1_024) {
        let rows = start..<min(start + 1_024, data.rows)
        let product = try hessianProduct(at: point, along: learned.unflattened(unit)) { params in
          let losses = -(try logPDF.body(params, data[rows], context?[rows]))
          return (weights.map { $0[rows] * losses } ?? losses).sum()
        }.flattened().cast(to: .float64)
        total = total + (isFull ? product : product[column..<column + 1])
      }
      return total
    }
    if !isFull { return concatenate(columns, axis: 0) }
    let matrix = stack(columns, axis: 1)
    return (matrix + matrix.transposed()) / 2
  }

  /// Σ weight · g gᵀ [numbers, numbers], or its diagonal.
  func fisher(_ isFull: Bool) throws -> Tensor {
    try reduceRowGradients(
      at: point, over: data, given: context, loss: { try logPDF.body($0, $1, $2) }
    ) { gradients, rows in
      let g = gradients.cast(to: .float64)
      let weighted = weights.map { $0[rows].cast(to: .float64).expanded(axis: 1) * g } ?? g
      return isFull ? matmul(weighted, g, transposeA: true) : (weighted * g).sum(axis: 0)
    } combine: {
      $0 = $0 + $1
    }
  }
}
