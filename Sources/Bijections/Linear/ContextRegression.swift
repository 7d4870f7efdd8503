import Randomness
import Tensors

/// The residuals of a linear regression on the context.
///
/// Map: y = x − c W − bias, for a context c of C numbers and W [C, D].
///
/// log|det J| = 0.
///
/// Inverse: x = y + c W + bias; O(C · D) both ways.
///
/// Parameters: `weight` [C, D] and `bias` [D], 0 at first. With `initInputs` and their context they start as
/// the least squares of these rows. A ridge of 10⁻⁶ times the mean variance of the context keeps equal
/// columns of the context apart.
///
/// Domain: all reals. Errors: `mismatch` without a context, and for samples or contexts that are not vectors.
public struct ContextRegression: Bijection {
  /// Makes a regression on the context.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let who = "ContextRegression"
    guard let contextDim = site.contextDim, contextDim.rank == 1 else {
      throw .mismatch(
        who: who, what: "contextDim", expected: "one axis", got: site.contextDim.map { "\($0)" } ?? "none")
    }
    try site.expect(site.inputDim.rank == 1, who, "inputDim", "one axis")
    return site.volumePreserving(who, leastSquares(at: site, contextDim[0])) { params, x, context in
      x - prediction(params, context!)
    } inverse: { params, y, context in
      y + prediction(params, context!)
    }
  }

  private func leastSquares(at site: Site, _ size: Int) -> Params {
    guard let rows = site.initInputs, let given = site.initContext else {
      return [
        "weight": .leaf(.zeros([size, site.channels], dtype: site.dtype)),
        "bias": .leaf(.zeros([site.channels], dtype: site.dtype)),
      ]
    }
    let (x, context) = (rows.cast(to: .float64), given.cast(to: .float64))
    let (mean, center) = (x.mean(axis: 0), context.mean(axis: 0))
    let centered = context - center
    let gram = matmul(centered, centered, transposeA: true)
    // A constant context has a ridge too.
    let ridge = maximum(1e-6 * gram.diagonal().mean(), 1e-30)
    let (q, r) = qr(gram + (ridge * Tensor.ones([size], dtype: .float64)).diagonalMatrix())
    let moments = matmul(centered, x - mean, transposeA: true)
    let weight = triangularSolve(r, matmul(q, moments, transposeA: true), lower: false)
    let bias = mean - matmul(center.expanded(axis: 0), weight)[0]
    return ["weight": .leaf(weight.cast(to: site.dtype)), "bias": .leaf(bias.cast(to: site.dtype))]
  }
}

/// c W + bias.
private func prediction(_ params: Params, _ context: Tensor) -> Tensor {
  matmul(context, params["weight"]) + params["bias"]
}
