import Randomness
import Tensors

/// From K − 1 reals to K positive numbers of sum 1: `FromSimplex` run backwards.
///
/// Map, log|det J| and inverse: the inverse direction of `FromSimplex`, in its chart. No parameters. Domain: all reals.
/// Errors: backwards, what is not on the simplex throws.
public struct ToSimplex: Bijection {
  /// A map to the simplex.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    var data = site
    data.inputDim = site.inputDim.replacing(-1, by: site.channels + 1)
    (data.initInputs, data.initOutputs) = (nil, nil)
    let (params, forward, inverse) = try FromSimplex().initialize(key, at: data)
    return (params, inverse, forward)
  }
}

/// From K (K − 1) / 2 reals to Cholesky factors [K, K] of correlation matrices: `FromCorrelationCholesky` run backwards.
///
/// Map, log|det J| and inverse: the inverse direction of `FromCorrelationCholesky`, in its chart. No parameters. Domain: all
/// reals. Errors: `mismatch` for a count that no K has; backwards, what is not such a factor throws.
public struct ToCorrelationCholesky: Bijection {
  /// A map to correlation matrices' factors.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    guard site.inputDim.rank == 1,
      let size = (2...site.channels + 1).first(where: { $0 * ($0 - 1) / 2 == site.channels })
    else {
      throw .mismatch(
        who: "ToCorrelationCholesky", what: "inputDim", expected: "K (K - 1) / 2 numbers",
        got: "\(site.inputDim)")
    }
    var data = site
    data.inputDim = [size, size]
    (data.initInputs, data.initOutputs) = (nil, nil)
    let (params, forward, inverse) = try FromCorrelationCholesky().initialize(key, at: data)
    return (params, inverse, forward)
  }
}
