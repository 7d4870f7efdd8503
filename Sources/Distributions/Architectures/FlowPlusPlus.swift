import Bijections
import Networks
import Tensors

extension Flow {
  /// Makes the flow of Flow++ for images whose height and width are even.
  ///
  /// It has four couplings of positions, a squeeze, two couplings of channels and three of positions. A
  /// coupling is a `MixtureOfLogistics` whose parameters a `GatedAttentionNet` gives. An ActNorm and a
  /// learned linear map stand before each. An image as context is squeezed with the sample.
  ///
  /// `Dequantized.flowPlusPlus` adds the paper's logit of pixels and learned noise.
  ///
  /// - Parameters:
  ///   - hidden: The channels of the couplings' networks.
  ///   - blocks: The blocks of each network.
  ///   - heads: The attention heads.
  ///   - components: The logistics of a mixture.
  ///
  /// The paper's sizes for CIFAR-10 are `hidden: 96, blocks: 10, components: 32`: see the article *Presets*.
  ///
  /// Ho, Chen, Srinivas, Duan & Abbeel 2019, *Flow++*, arXiv 1902.00275.
  public static func flowPlusPlusImages(
    hidden: Int = 32, blocks: Int = 2, heads: Int = 4, components: Int = 8,
    prior: any Distribution = Normal()
  ) -> Flow {
    let network = GatedAttentionNet(hidden: hidden, blocks: blocks, heads: heads)
    func couplings(_ count: Int, _ split: Split) -> [any Bijection] {
      mixtures(count, network, components, split)
    }
    return Flow(
      Serial(
        Serial(couplings(4, .checkerboard)), Squeeze(),
        Conditioned(
          Serial(couplings(2, .firstHalf) + couplings(3, .checkerboard)), by: SqueezedContext(times: 1))),
      prior: prior)
  }

  /// Makes mixture couplings with a split and its opposite in turn, each behind an ActNorm and a linear map.
  fileprivate static func mixtures(
    _ count: Int, _ network: any Network, _ components: Int, _ split: Split
  ) -> [any Bijection] {
    (0..<count).flatMap { i -> [any Bijection] in
      [
        ActNorm(), InvertibleLinear(),
        Coupling(
          network, MixtureOfLogistics(components: components), split: i % 2 == 0 ? split : split.swapped),
      ]
    }
  }
}

extension Dequantized {
  /// Makes Flow++: `Flow.flowPlusPlusImages` behind a `PixelLogit`, with learned dequantization noise.
  ///
  /// The noise is normal numbers that four mixture couplings of positions and a sigmoid map to (0, 1). They
  /// see the image through a `GatedAttentionNet` of one block. Both flows are trained together. The
  /// log-density is a bound; more `samples` make it tighter, see `Dequantized`.
  ///
  /// Ho et al. 2019, *Flow++*, arXiv 1902.00275, sections 3.1 and 3.2.
  public static func flowPlusPlus(
    levels: Int = 256, hidden: Int = 32, blocks: Int = 2, noiseBlocks: Int = 1, heads: Int = 4,
    components: Int = 8, samples: Int = 1, prior: any Distribution = Normal()
  ) -> Dequantized {
    let network = GatedAttentionNet(hidden: hidden, blocks: noiseBlocks, heads: heads)
    let seen = GatedAttentionNet(hidden: hidden, blocks: 1, heads: heads, lastWeight: .glorotUniform)
    let drawn = Serial(Flow.mixtures(4, network, components, .checkerboard) + [Sigmoid()])
    let flow = Flow.flowPlusPlusImages(
      hidden: hidden, blocks: blocks, heads: heads, components: components, prior: prior)
    return Dequantized(
      Flow(Serial(PixelLogit(margin: 0.05), flow.bijection), prior: prior), levels: levels,
      noise: Conditioned(Inverted(drawn), by: Summary(seen, width: hidden)), samples: samples)
  }
}
