import Randomness
import Tensors

/// A layer that learns a scale and a shift for each number of a sample.
///
/// Map: y = x · exp(logScale) + shift. log|det J| = Σ logScale, the same for every row; O(D).
///
/// Inverse: x = (y − shift) · exp(−logScale); O(D).
///
/// Parameters: `logScale` and `shift`, of a sample's shape, 0 at first, which gives the identity. `ActNorm`
/// has one of each per channel instead and can start by standardizing a batch.
///
/// Domain: all reals. Errors: none of its own.
public struct ElementwiseAffine: Bijection {
  /// Makes a scale and a shift for each number.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let zeros = Tensor.zeros(site.inputDim, dtype: site.dtype)
    let params: Params = ["logScale": .leaf(zeros), "shift": .leaf(zeros)]
    return site.layer("ElementwiseAffine", params) { params, x, _ in
      x * exp(params["logScale"]) + params["shift"]
    } logDet: { params, _, _ in
      params["logScale"].sum()
    } inverse: { params, y, _ in
      (y - params["shift"]) * exp(-params["logScale"])
    }
  }
}
