import Randomness
import Tensors

/// A learned invertible linear map of the channels, parametrized by its singular value decomposition.
///
/// Map: y = x U S V + bias on the last axis. U and V are products of n Householder reflections each, and S is
/// diagonal with the singular values exp(logScale). So the condition number is known, and can be limited.
///
/// log|det J| = positions · Σ logScale, the same for every row; O(D).
///
/// Inverse: the reflections in the opposite order and a division. Cost, both ways: O(n D + n²) per row and
/// O(n² D) once, without a matrix inverse.
///
/// Parameters: `left` [n, D] and `right` [n, D], the vectors of the reflections, normal at first; `logScale`
/// [D] and `bias` [D], 0 at first. So the map starts as a random orthogonal one. n = D reflections on each
/// side reach every invertible matrix up to the sign of its determinant.
///
/// Domain: all reals. Errors: none of its own.
///
/// nflows 0.14, `SVDLinear`, whose singular values are a softplus above 10⁻³. The reflections are those of
/// Tomczak & Welling 2016, arXiv 1611.09630, section 2.3.
public struct SVDLinear: Bijection {
  private let reflections: Int

  /// Makes a linear map with `reflections` reflections on each side.
  ///
  /// - Precondition: There is at least one reflection.
  public init(reflections: Int) {
    require(reflections > 0, "SVDLinear: at least one reflection on each side, got \(reflections)")
    self.reflections = reflections
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, positions) = (site.channels, Double(site.positions))
    func vectors(_ i: Int) -> Params {
      .leaf(key.folded(in: i).normal([reflections, size]).cast(to: site.dtype))
    }
    let zeros = Tensor.zeros([size], dtype: site.dtype)
    let params: Params = [
      "left": vectors(0), "logScale": .leaf(zeros), "right": vectors(1), "bias": .leaf(zeros),
    ]
    return site.layer("SVDLinear", params) { params, x, _ in
      let scaled = Reflections(params["left"]).apply(to: x) * exp(params["logScale"])
      return Reflections(params["right"]).apply(to: scaled) + params["bias"]
    } logDet: { params, _, _ in
      params["logScale"].sum() * positions
    } inverse: { params, y, _ in
      let scaled = Reflections(params["right"]).undo(in: y - params["bias"])
      return Reflections(params["left"]).undo(in: scaled * exp(-params["logScale"]))
    }
  }
}
