import Bijections
import Randomness
import Tensors

/// A distribution of independent positive variables whose logarithms are normal.
///
/// log p(x) = Σ (−½ z² − log x − logScale − ½ log 2π) with z = (log x − location) · exp(−logScale); −∞ where
/// a number is not above 0. Location and scale are those of log x. The cost is O(D).
///
/// Draws: exp(location + exp(logScale) · ε) with ε = `key.normal`, differentiable by both parameters.
///
/// Parameters: `location` and `logScale`, of a sample's shape, learned or frozen, 0 unless given.
///
/// Domain: all reals; the density is 0 outside its support. A context is ignored. Errors: as of ``Gamma``.
public struct LogNormal: Distribution {
  private let location, scale: Parameter

  /// Makes a distribution with the location and the scale of the logarithms, each given or learned.
  public init(location: Parameter = 0, scale: Parameter = 1) {
    (self.location, self.scale) = (location, scale)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let support = Domain(site.inputDim, .positive)
    return (
      [
        "location": try location.location(of: "LogNormal", key.folded(in: 0), at: site),
        "logScale": try scale.logarithm("scale", of: "LogNormal", key.folded(in: 1), at: site),
      ],
      LogPDF(site.boundary("LogNormal", support)) { params, x, _ in logDensity(params, x) },
      Sampler(site.boundary("LogNormal")) { key, params, count, _ in
        let noise = key.normal(site.inputDim.batched(count), dtype: site.dtype)
        let x = support.nearest(exp(params["location"] + exp(params["logScale"]) * noise))
        return (x, logDensity(params, x))
      }
    )
  }
}

private func logDensity(_ params: Params, _ x: Tensor) -> Tensor {
  let (logX, logScale) = (log(x), params["logScale"])
  let z = (logX - params["location"]) * exp(-logScale)
  return (-0.5 * square(z) - logX - logScale - 0.91893853320467274178).sumPerRow()
}
