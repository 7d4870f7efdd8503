import Bijections
import Distributions
import Networks
import Tensors
import Training

extension InferenceMethod {
  /// The name in files.
  var name: String {
    switch kind {
    case .posterior: "posterior"
    case .likelihood: "likelihood"
    case .ratio: "ratio"
    }
  }

  /// The distribution to learn: of parameters given data, or of data given parameters in the space of all
  /// reals. It is standardized by pairs.
  func distribution(
    _ prior: SimulationPrior, _ embedding: Summary?, reals: Tensor, data: Tensor
  ) -> any Distribution {
    func seeing<Base: Distribution>(_ base: Base) -> any Distribution {
      guard let embedding else { return Conditioned(base, by: NormalizedContext()) }
      return Conditioned(Conditioned(base, by: embedding), by: NormalizedContext())
    }
    switch kind {
    case .posterior(let flow, _):
      return seeing(Flow(Serial(prior.toReals, Standardize(of: reals), flow.bijection), prior: flow.prior))
    case .likelihood(let flow):
      let model = Flow(Serial(Standardize(of: data), flow.bijection), prior: flow.prior)
      return Conditioned(model, by: NormalizedContext())
    case .ratio(let network, _):
      return seeing(RatioDensity(network: network, prior: prior, standardize: Standardize(of: reals)))
    }
  }
}
