import Bijections
import Distributions
import Inference
import Randomness
import Tensors

/// The exponential distribution of one number, with a learned rate.
struct Exponential: Distribution {
  var rate = 1.0

  func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let boundary = Boundary(
      "Exponential", domain: Domain(site.inputDim), contextDim: site.contextDim, dtype: site.dtype)
    @Sendable func logPDF(_ params: Params, _ x: Tensor) -> Tensor {
      let density = params["logRate"] - exp(params["logRate"]) * x
      return select(where: x .< 0, -.infinity, density).sumPerRow()
    }
    return (
      ["logRate": .leaf(log(Tensor([rate], dtype: site.dtype)))],
      LogPDF(boundary) { params, x, _ in logPDF(params, x) },
      Sampler(boundary) { key, params, count, _ in
        let x = -log1p(-key.uniform(site.inputDim.batched(count), dtype: site.dtype))
        let draws = x * exp(-params["logRate"])
        return (draws, logPDF(params, draws))
      }
    )
  }
}

/// Histories of exponential draws whose observables are their sum and the largest of them.
struct Decays {
  let flow = Exponential()
  let params: Params
  let logPDF: LogPDF
  let sample: Sampler

  init(rate: Double = 1) throws {
    (params, logPDF, sample) = try Exponential(rate: rate)(Key(0), inputDim: 1, dtype: .float64)
  }

  func params(_ rate: Double) throws -> Params { try Decays(rate: rate).params }
  func rate(_ params: Params) -> Double { exp(params["logRate"]).doubles[0] }

  func simulate(_ key: Key, _ params: Params, count: Int, emissions: Int = 2) throws -> Histories {
    let x = try sample(key, params, count: count * emissions)
    let table = x.reshaped(to: [count, emissions])
    return try Histories(
      x, segments: (0..<count * emissions).map { $0 / emissions },
      observables: stack([table.sum(axis: 1), table.max(axis: 1)], axis: 1))
  }

  /// The sums of two draws.
  func sums(_ key: Key, rate: Double, count: Int) throws -> Tensor {
    try simulate(key, params(rate), count: count).observables.sliced(axis: 1, 0..<1)
  }
}
