import Networks
import Randomness
import Tensors

/// A masked autoregressive flow: a transformer maps each feature, and its parameters depend on the features
/// before it.
///
/// Map: yᵢ = f(xᵢ; θᵢ) with θᵢ = netᵢ(x₁ … xᵢ₋₁, context), all θ from one pass of a masked network (`MADE`).
/// The features of an image are in row-major order.
///
/// log|det J| = that of the transformer: the Jacobian is triangular. Cost: one network and one transformer.
///
/// Inverse: xᵢ = f⁻¹(yᵢ; θᵢ) in order, exact, in D sequential steps. A step computes only the units that the
/// feature before it determines, so all steps together cost one pass. Under differentiation they cost D
/// passes. `Inverted(Autoregressive(...))` is an inverse autoregressive flow, with the fast pass in the
/// sampling direction (Kingma et al. 2016, arXiv 1606.04934, section 4).
///
/// With `Affine` the network gives the scale of x, y = x · exp(s) + t. In the papers and jax-flows it gives
/// the scale of the noise, y = (x − μ) · exp(−α). That is `InverseTransformer(Affine(scale: .exponential))`,
/// with s = −α and t = −μ · exp(−α).
///
/// If the transformer is a map of a circle, the network sees sines and cosines of the features, so that θ has
/// the same period.
///
/// Parameters: `net`, as of `MADE`. Its last layer starts at zero, and so do the transformer's raw
/// parameters.
///
/// Domain: all reals, where the transformer's is. Errors: `mismatch` for a transformer that is not
/// elementwise, and those of `MADE`. With one number the map depends on the context alone.
///
/// Papamakarios, Pavlakou & Murray 2017, *Masked autoregressive flow for density estimation*, arXiv
/// 1705.07057, section 3 and eqs. 3-5.
public struct Autoregressive: Bijection {
  private let network: MADE
  private let transformer: any Transformer

  /// Makes an autoregressive flow from the masked network and the transformer whose parameters it gives.
  public init(_ network: MADE, _ transformer: any Transformer = Affine()) {
    self.network = network.period == nil ? transformer.period.map(network.periodic) ?? network : network
    self.transformer = transformer
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (transformer, size) = (transformer, site.inputDim.count)
    let count = transformer.parameterCount
    guard transformer.isElementwise else {
      throw .mismatch(
        who: "Autoregressive", what: "a transformer of each number by itself", expected: "an elementwise one",
        got: transformer.name)
    }
    let (params, masked) = try network.conditioned(on: site.contextDim?.count ?? 0).masked(
      key, numbers: size, outputs: count, dtype: site.dtype)

    return site.layer("Autoregressive(\(transformer.name))", ["net": params], traits: transformer.traits) {
      params, x, context in
      let net = masked.bound(to: params.child("net"))
      let sorted = net.sorted(x.flattened)
      let raw = net(sorted.sliced(axis: 1, 0..<size - 1), context?.flattened)
      let (y, logDet) = transformer.forward(sorted, raw.inOrder(of: transformer))
      return (net.restored(y).reshaped(to: x.shape), logDet)
    } inverse: { params, y, context in
      let net = masked.bound(to: params.child("net"))
      let (sorted, context) = (net.sorted(y.flattened), context?.flattened)
      if let graph = Graph.innermost([sorted] + params.leaves + [context].compactMap { $0 }) {
        // Each pass of the whole network finds one more number. Zeros stand for the later ones.
        func inverse(_ x: Tensor) -> (outputs: Tensor, logDet: Tensor) {
          let raw = net(x.sliced(axis: 1, 0..<size - 1), context)
          return transformer.inverse(sorted, raw.inOrder(of: transformer))
        }
        let places = Tensor((0..<size).map(Double.init), dtype: y.dtype)
        let known = graph.loop(size - 1, [.zeros(sorted.shape, dtype: y.dtype)]) { i, x in
          [select(where: (places .<= i).broadcast(to: sorted.shape), inverse(x[0]).outputs, 0)]
        }
        let (x, logDet) = inverse(known[0])
        return (net.restored(x).reshaped(to: y.shape), logDet)
      }
      var logDet = Tensor.zeros([y.rows], dtype: y.dtype)
      let x = net.unrolled(rows: y.rows, count: count, context: context, dtype: y.dtype) { i, raw in
        let (x, term) = transformer.inverse(sorted.sliced(axis: 1, i..<i + 1), raw)
        logDet = logDet + term
        return x
      }
      return (net.restored(x).reshaped(to: y.shape), logDet)
    }
  }
}

extension Tensor {
  /// Raw parameters [rows, D · count], sorted by feature, in the order that a transformer expects.
  fileprivate func inOrder(of transformer: any Transformer) -> Tensor {
    if transformer.parameterOrder == .byNumber { return self }
    let count = transformer.parameterCount
    return reshaped(to: [rows, shape[1] / count, count]).transposed().reshaped(to: shape)
  }

  /// All features of a row on one axis.
  var flattened: Tensor { reshaped(to: Shape(rows, shape.sample.count)) }
}
