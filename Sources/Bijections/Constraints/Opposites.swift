import Randomness
import Tensors

/// A map from K − 1 reals to K positive numbers of sum 1, the inverse of `FromSimplex`.
///
/// Map, log|det J| and inverse: the inverse direction of `FromSimplex`, in its chart. No parameters.
///
/// Domain: all reals. Errors: none of its own.
public struct ToSimplex: Bijection {
  /// Makes a map to the simplex.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try opposite(of: FromSimplex(), from: site.inputDim.replacing(-1, by: site.channels + 1), key, at: site)
  }
}

/// A map from K (K − 1) / 2 reals to Cholesky factors [K, K] of correlation matrices, the inverse of
/// `FromCorrelationCholesky`.
///
/// Map, log|det J| and inverse: the inverse direction of `FromCorrelationCholesky`, in its chart. No
/// parameters.
///
/// Domain: all reals. Errors: `mismatch` for a number of inputs that is not K (K − 1) / 2 for any K.
public struct ToCorrelationCholesky: Bijection {
  /// Makes a map to Cholesky factors of correlation matrices.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    guard site.inputDim.rank == 1,
      let size = (2...site.channels + 1).first(where: { $0 * ($0 - 1) / 2 == site.channels })
    else {
      throw .mismatch(
        who: "ToCorrelationCholesky", what: "inputDim", expected: "K (K - 1) / 2 numbers",
        got: "\(site.inputDim)")
    }
    return try opposite(of: FromCorrelationCholesky(), from: [size, size], key, at: site)
  }
}

/// Initializes a bijection of samples of another shape with its directions exchanged.
func opposite(
  of bijection: any Bijection, from shape: Shape, _ key: Key, at site: Site
) throws(FlowError) -> Initialized {
  var data = site
  (data.inputDim, data.initInputs, data.initOutputs) = (shape, nil, nil)
  let (params, forward, inverse) = try bijection.initialize(key, at: data)
  return (params, inverse, forward)
}
