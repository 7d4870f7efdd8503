import Bijections
import Networks
import Randomness
import Tensors

/// A distribution of independent normal variables whose locations and scales a network computes from the
/// context.
///
/// log p(x | c) = −½ Σ z² − Σ s − (D/2) log 2π with z = (x − t) · exp(−s) for a sample of D numbers. Here (r,
/// t) = net(c), and s is the log-scale as a function of r, which is smoothly bounded by ±8 by default.
///
/// Draws: t + exp(s) · ε with ε = `key.normal`, differentiable by all parameters. Both cost O(D) and the
/// network.
///
/// Parameters: `net`. Its last layer starts at zero by default (see `MLP`), so the initial distribution is
/// the standard normal one for any context.
///
/// Domain: all reals. The context is one vector per row; an image is flattened. Errors: `mismatch` without a
/// context.
public struct ConditionalNormal: Distribution {
  private let network: any Network
  private let scale: Affine.Scale

  /// Makes a normal distribution whose location and scale a network computes.
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
    let boundary = site.boundary("ConditionalNormal")
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
          let logPDF = -0.5 * square(z).sumPerRow() - constant - logSpread(temperature, size) - logDet
          return (x.reshaped(to: site.inputDim.batched(count)), logPDF)
        }
      }
    )
  }
}
