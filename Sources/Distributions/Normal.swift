/// Independent normal variables: standard ones, or with a learned location and scale each.
///
/// log p(x) = −½ Σ z² − Σ logScale − (D/2) log 2π with z = (x − location) · exp(−logScale), over the D numbers of a sample.
///
/// Draws: location + exp(logScale) · ε with ε = `key.normal`. O(D) both.
///
/// Parameters: none for the standard one; `location` and `logScale`, of one sample's shape, both 0 at first, for `.learned`.
///
/// Domain: all reals. A context is ignored. Errors: none of its own.
public struct Normal: Distribution {
  /// Whether location and scale are learned.
  public enum Kind: Sendable, Hashable {
    /// Location 0, scale 1, no parameters.
    case standard
    /// A location and a scale for each number of a sample, learned.
    case learned
  }

  private let kind: Kind

  /// A normal distribution, standard unless said otherwise.
  public init(_ kind: Kind = .standard) { self.kind = kind }

  /// Initial parameters, log-density and sampler.
  public func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    let boundary = Boundary(
      "Normal", domain: Domain(site.inputDim), contextDim: site.contextDim, dtype: site.dtype)
    let zeros = Tensor.zeros(site.inputDim, dtype: site.dtype)
    switch kind {
    case .standard:
      return (
        .empty, LogPDF(boundary) { _, x, _ in logDensity(x) },
        Sampler(boundary) { key, _, count, _ in
          let x = key.normal(site.inputDim.batched(count), dtype: site.dtype)
          return (x, logDensity(x))
        }
      )
    case .learned:
      return (
        ["location": .leaf(zeros), "logScale": .leaf(zeros)],
        LogPDF(boundary) { params, x, _ in
          let (location, logScale) = (params["location"], params["logScale"])
          return logDensity((x - location) * exp(-logScale)) - logScale.sum()
        },
        Sampler(boundary) { key, params, count, _ in
          let (location, logScale) = (params["location"], params["logScale"])
          let z = key.normal(site.inputDim.batched(count), dtype: site.dtype)
          return (location + exp(logScale) * z, logDensity(z) - logScale.sum())
        }
      )
    }
  }
}

/// The standard normal's log-density of each row.
private func logDensity(_ z: Tensor) -> Tensor {
  let constant = 0.5 * Double(z.shape.sample.count) * 1.8378770664093454836  // log 2π
  return -0.5 * square(z).sumPerRow() - constant
}
