import Bijections
import Networks
import Tensors

/// Preset flows for images [height, width, channels] whose height and width are divisible by 2 once per
/// level.
extension Flow {
  /// Makes a Glow of several levels, each with a squeeze and steps.
  ///
  /// A step is ActNorm, a learned linear map of the channels and an affine coupling. Between levels, half of
  /// the channels are factored out under a learned prior.
  ///
  /// Every coupling receives a vector context, or an image context that is squeezed as often as the sample.
  /// For Glow's class-conditional prior, put the bijection in `Conditioned(..., by: NoContext())` and use
  /// `ConditionalNormal` as the prior.
  ///
  /// - Parameters:
  ///   - levels: The number of levels.
  ///   - steps: The number of steps per level.
  ///   - hidden: The hidden channels of the couplings' convolutions, with windows 3, 1, 3.
  ///   - scale: The form of the couplings' scales.
  ///   - squeeze: The positions that a squeeze combines.
  ///   - factorsOut: Whether levels factor out half of their channels.
  ///   - learnsPrior: Whether the factored-out channels have a learned prior given the kept ones.
  ///   - normalizesContext: Whether an ActNorm normalizes the context, which is then required.
  ///   - normalizesNetwork: Whether the couplings' convolutions have activation normalizations, as in the
  ///     paper's program (`NormalizedConvNet`).
  ///   - additive: Whether couplings only shift, as in the paper's models of large images.
  ///   - learnsTop: Whether the channels of the last level have a learned normal prior each.
  ///   - network: The couplings' conditioner instead of convolutions, such as `Flattened(MLP(...))` for a
  ///     dense one.
  ///
  /// The paper's model of CIFAR-10 is
  /// `.glow(steps: 32, hidden: 512, normalizesNetwork: true, learnsTop: true)`: see the article *Presets*.
  ///
  /// Kingma & Dhariwal 2018, *Glow*, arXiv 1807.03039.
  public static func glow(
    levels: Int = 3, steps: Int = 8, hidden: Int = 128, scale: Affine.Scale = .sigmoid(shift: 2),
    squeeze: SqueezePattern = .checkerboard, factorsOut: Bool = true, learnsPrior: Bool = true,
    normalizesContext: Bool = false, normalizesNetwork: Bool = false, additive: Bool = false,
    learnsTop: Bool = false, network: (any Network)? = nil, prior: any Distribution = Normal()
  ) -> Flow {
    let channels = [hidden, hidden]
    let network =
      network ?? (normalizesNetwork ? NormalizedConvNet(hidden: channels) : ConvNet(hidden: channels))
    let coupling: any Bijection =
      additive ? AdditiveCoupling(network) : AffineCoupling(network, scale: scale)
    let flow = multiScale(levels, squeeze, factorsOut, learnsPrior, learnsTop: learnsTop, prior) {
      repeating(steps) { [ActNorm(), InvertibleLinear(), coupling] }
    }
    return normalizesContext ? Flow(Conditioned(flow.bijection, by: NormalizedContext()), prior: prior) : flow
  }

  /// Makes a HINT for images, with levels of a squeeze and steps of ActNorm and a recursion of couplings.
  ///
  /// Kruse et al. 2021, *HINT*, arXiv 1905.10687; the multi-scale form is that of InvertibleNetworks.jl.
  public static func multiScaleHINT(
    levels: Int = 2, steps: Int = 4, hidden: Int = 64, squeeze: SqueezePattern = .haar,
    factorsOut: Bool = true, prior: any Distribution = Normal()
  ) -> Flow {
    let network = ConvNet(hidden: [hidden, hidden])
    return multiScale(levels, squeeze, factorsOut, false, prior) {
      repeating(steps) { [ActNorm(), HINT(network, permutation: .full, isShared: false)] }
    }
  }

  /// Makes a HINT for vectors, whose layers are ActNorm, a permutation and a recursion of couplings.
  public static func hint(
    layers: Int = 6, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    stacked(layers, prior) {
      [ActNorm(), HINT(MLP(hidden: hidden), Affine(scale: scale), permutation: .full, isShared: false)]
    }
  }

  /// Makes a hyperbolic network: leapfrog steps of a pair of images, with Haar squeezes before them and
  /// between levels.
  ///
  /// Only the ActNorm at the start changes volume. A context enters inside the relu. Lensink, Peters & Haber
  /// 2019, arXiv 1905.10484.
  public static func hyperbolic(
    levels: Int = 2, steps: Int = 8, hidden: Int = 64, step: Double = 0.5,
    prior: any Distribution = Normal()
  ) -> Flow {
    Flow(
      Serial(
        (1...levels).flatMap { level -> [any Bijection] in
          let inside = Serial(repeating(steps) { [Hyperbolic(hidden: hidden, step: step)] })
          return [
            level == 1 ? Squeeze(.haar) : BothHalves(Squeeze(.haar)), ActNorm(),
            Conditioned(inside, by: SqueezedContext(times: level)),
          ]
        }), prior: prior)
  }

  /// Makes a RealNVP for images.
  ///
  /// A level has three couplings of positions, a squeeze and three couplings of channels, and factors out
  /// half of the channels. The last level has four couplings of positions.
  ///
  /// Dinh, Sohl-Dickstein & Bengio 2016, arXiv 1605.08803, sections 3.4 to 3.6.
  public static func realNVP(
    levels: Int, hidden: Int = 32, blocks: Int = 2, scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    let network = ResNet(hidden: hidden, blocks: blocks)
    func couplings(_ count: Int, _ split: Split, _ squeezes: Int) -> any Bijection {
      Conditioned(
        Serial(halfCouplings(count, network, scale, split)), by: SqueezedContext(times: squeezes))
    }
    let all = (0..<levels).map { level -> any Bijection in
      if level == levels - 1 { return couplings(4, .checkerboard, level) }
      return Serial(
        couplings(3, .checkerboard, level), Squeeze(), couplings(3, .firstHalf, level + 1))
    }
    return Flow(MultiScale(all), prior: prior)
  }

  /// Makes the convolutional RealNVP of jax-flows for small images.
  ///
  /// The couplings' convolutions read the left half of the columns and map the right half, and vice versa.
  /// For digits of 28x28 pixels the halves are 28x14.
  public static func realNVPHalves(
    image: Shape, layers: Int = 6, hidden: Int = 32, scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    let (width, channels) = (image[-2], image[-1])
    let left = Split.mask((0..<image.count).map { $0 / channels % width < width / 2 })
    let network = ConvNet(hidden: [hidden, hidden], windows: [3])
    return Flow(Serial(halfCouplings(layers, network, scale, left)), prior: prior)
  }

  /// Makes couplings with a split and its opposite in turn, each followed by an ActNorm.
  private static func halfCouplings(
    _ count: Int, _ network: any Network, _ scale: Affine.Scale, _ split: Split
  ) -> [any Bijection] {
    (0..<count).flatMap { i -> [any Bijection] in
      [AffineCoupling(network, scale: scale, split: i % 2 == 0 ? split : split.swapped), ActNorm()]
    }
  }

  private static func multiScale(
    _ levels: Int, _ squeeze: SqueezePattern, _ factorsOut: Bool, _ learnsPrior: Bool,
    learnsTop: Bool = false, _ prior: any Distribution, steps: () -> [any Bijection]
  ) -> Flow {
    let all = (1...levels).map { level -> any Bijection in
      let inside = Serial(steps())
      // A coupling of halves leaves the kept channels unchanged.
      var last: [any Bijection] =
        factorsOut && learnsPrior && level < levels
        ? [Coupling(ConvNet(hidden: []), InverseTransformer(Affine(scale: .bounded(4))))] : []
      if learnsTop && level == levels { last.append(ActNorm(startsFromData: false)) }
      return Serial(
        Squeeze(squeeze),
        Conditioned(Serial([inside] + last), by: SqueezedContext(times: level, pattern: squeeze)))
    }
    return Flow(factorsOut ? MultiScale(all) : Serial(all), prior: prior)
  }
}
