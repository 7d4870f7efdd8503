import Bijections
import Randomness
import Tensors

/// A layer that need not be a bijection, and carries a log-weight instead of a log-determinant.
///
/// It is a pair of random maps, q(z | x) from data to latents and p(x | z) back. `forward` draws z from q
/// and returns log p(x | z) − log q(z | x). `inverse` draws x from p and returns log q(z | x) − log p(x |
/// z). For a density p(z) of the latents,
///
///     p(x) = E[p(z) exp(logWeight)]   over draws z of `forward`.
///
/// The log-weight of a bijection is its log-determinant. A surjection draws what one direction loses, and a
/// Markov step draws both ways. Layers in a row add their log-weights: see ``WeightedFlow``.
///
/// Nielsen, Jaini, Hoogeboom, Winther & Welling 2020, *SurVAE flows*, arXiv 2007.02731, section 2 and table
/// 1; Wu, Köhler & Noé 2020, *Stochastic normalizing flows*, arXiv 2002.06707, section 3.
public protocol WeightedLayer: Sendable {
  /// Makes the initial parameters and the two directions for samples as described by `site`.
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedWeighted
}

/// The initial parameters of a weighted layer, and its two directions.
public typealias InitializedWeighted = (
  params: Params, forward: WeightedMapping, inverse: WeightedMapping
)

/// One direction of a weighted layer: a pure function of a key, parameters, a batch and a context.
public struct WeightedMapping: Sendable {
  /// The function without checks: outputs, and one log-weight per row. A key gives the same draws each time.
  public typealias Body =
    @Sendable (
      _ key: Key, _ params: Params, _ inputs: Tensor, _ context: Tensor?
    ) throws(FlowError) -> (outputs: Tensor, logWeight: Tensor)

  /// The checks of the arguments.
  public let boundary: Boundary
  /// The shape and the possible values of one output sample.
  public let codomain: Domain
  /// The function without checks.
  public let body: Body

  /// Makes a mapping from its parts.
  public init(_ boundary: Boundary, to codomain: Domain, body: @escaping Body) {
    (self.boundary, self.codomain, self.body) = (boundary, codomain, body)
  }

  /// Draws outputs `[rows] + codomain` and computes their log-weights `[rows]`.
  ///
  /// - Throws: `FlowError` for parameters of another structure, a wrong shape or dtype, a missing or
  ///   unexpected context, or a value outside the domain.
  public func callAsFunction(
    _ key: Key, _ params: Params, _ inputs: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> (outputs: Tensor, logWeight: Tensor) {
    try boundary.check(params, inputs, given: context)
    return try body(key, params, inputs, context)
  }

  func expecting(_ params: Params) -> WeightedMapping {
    WeightedMapping(boundary.expecting(params), to: codomain, body: body)
  }
}

/// A bijection as a weighted layer. Its log-weights are its log-determinants.
///
/// Running statistics, such as those of batch normalization, do not move in it, and it starts without data.
public struct Weighted: WeightedLayer {
  /// The bijection.
  public let bijection: any Bijection

  /// Makes a weighted layer of a bijection.
  public init(_ bijection: any Bijection) { self.bijection = bijection }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedWeighted {
    let (params, forward, inverse) = try bijection.initialize(key, at: site)
    func weighted(_ mapping: Mapping) -> WeightedMapping {
      WeightedMapping(mapping.boundary, to: mapping.codomain) { (_, params, x, context) throws(FlowError) in
        let (y, logDet) = try mapping.asMember.perRow(params, x, context)
        return (y, logDet)
      }
    }
    return (params, weighted(forward), weighted(inverse))
  }
}

extension Site {
  /// Makes a weighted layer of vectors of all reals from its two directions.
  func weighted(
    _ name: String, _ params: Params = .empty, to codomain: Domain,
    forward: @escaping WeightedMapping.Body, inverse: @escaping WeightedMapping.Body
  ) -> InitializedWeighted {
    (
      params, WeightedMapping(boundary(name), to: codomain, body: forward),
      WeightedMapping(boundary(name, codomain), to: Domain(inputDim), body: inverse)
    )
  }
}
