import Bijections
import Networks
import Tensors

/// Preset inverse autoregressive flows with the gated update of their paper, for variational inference.
extension Flow {
  /// Makes an inverse autoregressive flow of gated steps z ← σ(s) z + (1 − σ(s)) m, with draws in one pass.
  ///
  /// (m, s) come from a masked network that sees the context at every step. The order is reversed between
  /// steps. `forgetBias` is s at the start, 1 or 2 in the paper. Densities of its own draws cost one pass,
  /// those of other points D. A step contracts, so let a learned prior set the scale.
  ///
  /// Kingma et al. 2016, arXiv 1606.04934, algorithm 1. See `amortizedIAF` for the encoder.
  public static func gatedIAF(
    layers: Int = 4, hidden: [Int] = [64, 64], forgetBias: Double = 2,
    prior: any Distribution = Normal(.learned)
  ) -> Flow {
    let network = MADE(hidden: hidden, activation: .elu)
    let steps = reversing(layers) { [Autoregressive(network, GatedAffine(forgetBias: forgetBias))] }
    return Flow(Inverted(Serial(steps)), prior: prior)
  }

  /// Makes the approximate posterior of a variational autoencoder: an encoder of the context, and a gated
  /// inverse autoregressive flow given its output h.
  ///
  /// The first step is z = μ(h) + σ(h) ε, with linear functions of h. Every gated step sees h too. Fit it to
  /// a `Target` with contexts. The encoder is trained with the rest.
  ///
  /// Kingma et al. 2016, arXiv 1606.04934, algorithm 1.
  public static func amortizedIAF(
    encoder: Summary, layers: Int = 4, hidden: [Int] = [64, 64], forgetBias: Double = 2
  ) -> Conditioned<Flow> {
    let first = ConditionalNormal(MLP(hidden: []))
    return Conditioned(
      .gatedIAF(layers: layers, hidden: hidden, forgetBias: forgetBias, prior: first), by: encoder)
  }
}
