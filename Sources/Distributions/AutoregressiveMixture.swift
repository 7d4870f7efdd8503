import Bijections
import Networks
import Randomness
import Tensors

/// A mixture of normals for each number given the numbers before it: MADE MoG, and the base of MAF MoG.
///
/// log p(x) = Σᵢ log Σₖ wᵢₖ N(xᵢ; μᵢₖ, σᵢₖ²), summed in logarithms. A masked network gives the parameters of
/// number i from the numbers before it and the context. Cost: one pass of the network and O(D K).
///
/// Draws: number by number, in the time of one pass. A uniform number chooses the component, and xᵢ = μᵢₖ +
/// σᵢₖ ε with ε = `key.normal`. The choice has no derivative, so draws within a derivative by the network
/// or the context are an error, as in a fit to a target.
///
/// Raw outputs, 3K per number: K logits, K locations and K log-scales r with log σ = s(r) + log σ₀, by
/// default bounded smoothly by ±8. The locations are added to K numbers evenly spaced from −½ to ½. σ₀ is
/// such that zeros give a mixture with mean 0 and variance 1. Its components differ, so they can learn apart.
///
/// Parameters: `net`, as of `MADE`. Domain: all reals. An image is read as a vector in row-major order.
/// Errors: those of `MADE`; `mismatch` for draws within a derivative, unless there is one component.
///
/// Germain et al. 2015, *MADE*, arXiv 1502.03509; Papamakarios, Pavlakou & Murray 2017, *Masked
/// autoregressive flow*, arXiv 1705.07057, section 4.1.
public struct AutoregressiveMixture: Distribution {
  private let network: MADE
  private let components: Int
  private let scale: LogScale

  /// Makes a distribution from the masked network that gives the mixtures.
  ///
  /// - Precondition: There is at least one component.
  public init(_ network: MADE, components: Int = 10, scale: LogScale = .bounded(8)) {
    require(components >= 1, "AutoregressiveMixture: components must be at least 1, got \(components)")
    (self.network, self.components, self.scale) = (network, components, scale)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let (size, count) = (site.inputDim.count, 3 * components)
    let (params, masked) = try network.conditioned(on: site.contextDim?.count ?? 0).masked(
      key, numbers: size, outputs: count, dtype: site.dtype)
    let mixtures = Mixtures(components, scale, dtype: site.dtype)
    let constant = 0.5 * Double(size) * 1.8378770664093454836  // log 2π

    @Sendable func flat(_ x: Tensor?) -> Tensor? {
      x.map { $0.reshaped(to: [$0.rows, $0.shape.sample.count]) }
    }
    let boundary = site.boundary("AutoregressiveMixture")
    return (
      ["net": params],
      LogPDF(boundary) { params, x, context in
        let net = masked.bound(to: params.child("net"))
        let sorted = net.sorted(x.reshaped(to: [x.rows, size]))
        let raw = net(sorted.sliced(axis: 1, 0..<size - 1), flat(context))
        let terms = mixtures.logDensity(
          of: sorted.reshaped(to: [x.rows * size]), raw.reshaped(to: [x.rows * size, count]))
        return terms.reshaped(to: [x.rows, size]).sumPerRow() - constant
      },
      Sampler(boundary) { (key, params, rows, context) throws(FlowError) in
        let sources = params.leaves + (context.map { [$0] } ?? [])
        if components > 1, DrawTrace.current == nil, sources.contains(where: \.isDifferentiated) {
          throw .undifferentiableChoice("AutoregressiveMixture")
        }
        let net = masked.bound(to: params.child("net"))
        let noise = key.folded(in: 0).normal([rows, size], dtype: site.dtype)
        let choice = key.folded(in: 1).uniform([rows, size], dtype: site.dtype)
        var logPDF = Tensor.full([rows], -constant, dtype: site.dtype)
        let x = net.unrolled(rows: rows, count: count, context: flat(context), dtype: site.dtype) { i, raw in
          func column(_ numbers: Tensor) -> Tensor { numbers.sliced(axis: 1, i..<i + 1) }
          let x = mixtures.draw(column(noise), column(choice), raw)
          logPDF = logPDF + mixtures.logDensity(of: x.reshaped(to: [rows]), raw)
          return x
        }
        return (net.restored(x).reshaped(to: site.inputDim.batched(rows)), logPDF)
      }
    )
  }
}

/// Mixtures of K normals, one for each row of raw parameters [N, 3K].
private struct Mixtures: Sendable {
  private let components: Int
  private let scale: LogScale
  /// The locations and the log-scale at raw zeros.
  private let locations: Tensor
  private let logDeviation: Double
  /// Ones above the diagonal. A product with them sums the weights before each component.
  private let before: Tensor
  private let places: Tensor

  init(_ components: Int, _ scale: LogScale, dtype: DType) {
    (self.components, self.scale) = (components, scale)
    let k = Double(components)
    let spaced = (0..<components).map { components == 1 ? 0 : Double($0) / (k - 1) - 0.5 }
    let variance = spaced.reduce(0) { $0 + $1 * $1 } / k
    locations = Tensor(spaced, dtype: dtype)
    logDeviation = 0.5 * log(Tensor(1 - variance, dtype: .float64)).item
    let entries = (0..<components).flatMap { i in (0..<components).map { j in i < j ? 1.0 : 0 } }
    before = Tensor(entries, shape: [components, components], dtype: dtype)
    places = Tensor((0..<components).map(Double.init), dtype: dtype)
  }

  private func part(_ i: Int, of raw: Tensor) -> Tensor { raw.block(i, of: 3) }
  private func location(_ raw: Tensor) -> Tensor { part(1, of: raw) + locations }
  private func logScale(_ raw: Tensor) -> Tensor { scale(part(2, of: raw)) + logDeviation }

  /// The log-densities of numbers [N], without ½ log 2π.
  func logDensity(of x: Tensor, _ raw: Tensor) -> Tensor {
    let s = logScale(raw)
    let z = (x.expanded(axis: 1) - location(raw)) * exp(-s)
    return logTotal(part(0, of: raw).logSoftmax(axis: 1) - 0.5 * square(z) - s)
  }

  /// Draws [N, 1] from standard normal noise and uniform choices [N, 1].
  func draw(_ noise: Tensor, _ choice: Tensor, _ raw: Tensor) -> Tensor {
    let sums = matmul(part(0, of: raw.detached).softmax(axis: 1), before)
    // The last component with no more weight before it than the choice.
    let index = (sums .<= choice).sum(axis: 1, keepDims: true) - 1
    let drawn = location(raw) + exp(logScale(raw)) * noise
    return select(where: (places .== index).broadcast(to: drawn.shape), drawn, 0).sum(axis: 1, keepDims: true)
  }
}
