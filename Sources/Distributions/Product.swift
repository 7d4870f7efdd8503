import Bijections
import Randomness
import Tensors

/// A product distribution: independent coordinates, each with its own distribution.
///
/// log p(x) = Σ_i log p_i(x_i). Draws: one from each distribution. Cost: the sum of theirs.
///
/// Parameters: one child per coordinate, `0`, `1`, .... Coordinate i draws from `key.folded(in: i)`.
///
/// Each distribution receives the context. Domain: all reals; the density is 0 outside a coordinate's
/// support. Errors: `mismatch` if a sample is not a vector with one number per distribution, and those of the
/// distributions.
public struct Product: Distribution {
  private let factors: [any Distribution]

  /// Makes a product of distributions of one number each.
  ///
  /// - Precondition: There is at least one distribution.
  public init(_ factors: [any Distribution]) {
    require(!factors.isEmpty, "a product needs a factor")
    self.factors = factors
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    guard site.inputDim == Shape([factors.count]) else {
      throw .mismatch(
        who: "Product", what: "inputDim", expected: "[\(factors.count)], a number for each distribution",
        got: "\(site.inputDim)")
    }
    let members = try Members(factors, key) { i in
      var place = site
      place.inputDim = 1
      place.initInputs = site.initInputs?.sliced(axis: 1, i..<i + 1)
      return place
    }
    let density = Mapping.sideBySide(
      "Product", members.densities.enumerated().map { ($1, Address("\($0)", position: $0)) }, at: site)
    return (
      members.params, LogPDF(density),
      members.sampler(density.boundary) { draws in
        { (key, params, count, context) throws(FlowError) in
          var columns: [Tensor] = []
          var total = Tensor.zeros([count], dtype: site.dtype)
          for (i, draw) in draws.enumerated() {
            let (x, logPDF) = try draw(key.folded(in: i), params.child(i), count, context)
            columns.append(x)
            total = total + logPDF
          }
          return (concatenate(columns, axis: 1), total)
        }
      }
    )
  }
}
