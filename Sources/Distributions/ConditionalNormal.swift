import Bijections
import Networks
import Randomness
import Tensors

/// Independent normal variables whose locations and scales a network reads off the context.
///
/// log p(x | c) = −½ Σ z² − Σ s − (D/2) log 2π with z = (x − t) · exp(−s), where (r, t) = net(c) and s is the form of the
/// scale's logarithm at r, smoothly within ±8 by default; over the D numbers of a sample.
///
/// Draws: t + exp(s) · ε with ε = `key.normal`, differentiable by all parameters. Cost of both: the network, and O(D).
///
/// Parameters: `net`; its last layer starts at zero by default (see `MLP`), and so the distribution as the standard normal
/// one whatever the context.
///
/// Domain: all reals. The context is one vector a row, an image's numbers in a row. Errors: `mismatch` without a context.
public struct ConditionalNormal: Distribution {
  private let network: any Network
  private let scale: Affine.Scale

  /// A normal distribution whose location and scale the network gives.
  public init(_ network: any Network, scale: Affine.Scale = .bounded(8)) {
    self.network = network
    self.scale = scale
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    guard let contextDim = site.contextDim else {
      throw .mismatch(who: "ConditionalNormal", what: "contextDim", expected: "a shape", got: "none")
    }
    let (size, width, affine) = (site.inputDim.count, contextDim.count, Affine(scale: scale))
    let (params, apply) = try network(
      key, inputDim: Shape([width]), outputDim: Shape([affine.parameterCount * size]), dtype: site.dtype)
    let boundary = Boundary(
      "ConditionalNormal", domain: Domain(site.inputDim), contextDim: contextDim, dtype: site.dtype)
    let constant = 0.5 * Double(size) * 1.8378770664093454836  // log 2π

    @Sendable func raw(_ params: Params, _ context: Tensor?) -> Tensor {
      guard let context else { fatalError("the boundary lets no call without a context pass") }
      return apply(params.child("net"), context.reshaped(to: [context.rows, width]))
    }
    return (
      ["net": params],
      LogPDF(boundary) { params, x, context in
        let (z, logDet) = affine.inverse(x.reshaped(to: [x.rows, size]), raw(params, context))
        return -0.5 * square(z).sumPerRow() - constant + logDet
      },
      sampler(boundary) { temperature in
        { key, params, count, context in
          let z = key.normal([count, size], dtype: site.dtype)
          let (x, logDet) = affine.forward(temperature == 1 ? z : temperature * z, raw(params, context))
          let spread = temperature == 1 ? 0 : Double(size) * log(Tensor(temperature, dtype: .float64)).item
          return (
            x.reshaped(to: site.inputDim.batched(count)),
            -0.5 * square(z).sumPerRow() - constant - spread - logDet
          )
        }
      }
    )
  }
}
