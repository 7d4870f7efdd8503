import Distributions
import Networks
import Tensors

/// The density that simulation-based inference learns: the posterior, the likelihood, or a ratio.
///
/// | method | learns | draws | rounds |
/// |---|---|---|---|
/// | `posterior` | q(θ \| x), a conditional flow | direct, for any x after one round | truncated or atomic |
/// | `likelihood` | q(x \| θ), a conditional flow | by chains | proposed from the posterior so far |
/// | `ratio` | log p(x \| θ) / p(x) + c(x), a network | by chains | proposed from the posterior so far |
public struct InferenceMethod: Sendable {
  enum Kind: Sendable {
    case posterior(Flow, LaterRounds)
    case likelihood(Flow)
    case ratio(any Network, RatioLoss)
  }

  enum RatioLoss: Sendable {
    case contrastive(atoms: Int), binary
  }
  let kind: Kind

  /// The way to learn the posterior in rounds after the first.
  public enum LaterRounds: Sendable, Hashable {
    /// The prior is cut down to the region that holds all but a share of the posterior so far, and the fit
    /// stays one of maximum likelihood (TSNPE).
    ///
    /// Deistler, Gonçalves & Macke 2022, *Truncated proposals*, arXiv 2210.04815, algorithm 1.
    case truncated(outside: Double = 1e-4)
    /// Parameters are drawn from the posterior so far, and the fit is by ``Contrastive`` with a number of
    /// other rows (SNPE-C).
    case atomic(atoms: Int = 9)
  }

  /// Neural posterior estimation (NPE): a conditional flow for parameters given data.
  ///
  /// The flow sees parameters in the space of all reals, standardized, so its draws stay in the support.
  ///
  /// Papamakarios & Murray 2016, arXiv 1605.06376; Greenberg et al. 2019, arXiv 1905.07488.
  public static func posterior(
    _ flow: Flow = .neuralSpline(layers: 5, hidden: [50, 50]), later: LaterRounds = .truncated()
  ) -> InferenceMethod {
    InferenceMethod(kind: .posterior(flow, later))
  }

  /// Neural likelihood estimation (NLE): a conditional flow for data given parameters.
  ///
  /// The flow sees standardized data. Papamakarios, Sterratt & Murray 2019, arXiv 1805.07226.
  public static func likelihood(_ flow: Flow = .maf(layers: 5, hidden: [50, 50])) -> InferenceMethod {
    InferenceMethod(kind: .likelihood(flow))
  }

  /// Neural ratio estimation (NRE): a network that tells which of `atoms` + 1 parameters made the data.
  ///
  /// The network maps standardized parameters and data, joined, to one number. It is fitted by
  /// ``Contrastive``, which leaves a function of the data open.
  ///
  /// Durkan, Murray & Papamakarios 2020, *On contrastive learning*, arXiv 2002.03712.
  public static func ratio(
    _ network: any Network = ResidualMLP(width: 50, blocks: 2), atoms: Int = 9
  ) -> InferenceMethod {
    InferenceMethod(kind: .ratio(network, .contrastive(atoms: atoms)))
  }

  /// Neural ratio estimation by a binary loss (AALR): a network that tells parameters with their own data
  /// from others. It is fitted by ``BinaryContrast``, which leaves no function of the data open.
  ///
  /// Hermans, Begy & Louppe 2020, *Likelihood-free MCMC*, arXiv 1903.04057.
  public static func binaryRatio(
    _ network: any Network = ResidualMLP(width: 50, blocks: 2)
  ) -> InferenceMethod {
    InferenceMethod(kind: .ratio(network, .binary))
  }
}
