import Bijections
import Networks
import Tensors

/// Preset flows for images [height, width, channels] whose conditioners are transformers of patches.
extension Flow {
  /// Makes a TarFlow: autoregressive blocks of patches, whose order is reversed from block to block.
  ///
  /// A context of any shape, such as a class in one column per class, is added to every token.
  ///
  /// The density takes one pass of each network. A draw takes as many steps per block as there are patches;
  /// they keep earlier keys and values.
  ///
  /// The paper's pictures come from models of noisy images: normal noise of deviation 0.05 replaces uniform
  /// dequantization in training, and `fit(..., augment:)` can add it. A draw is then denoised by a step along
  /// the gradient of the log-density, and guided. Denoising and guidance are not here.
  ///
  /// - Parameters:
  ///   - patch: The side of a patch, a power of two that divides height and width.
  ///   - blocks: The number of autoregressive blocks.
  ///   - layers: The number of transformer layers of a block.
  ///   - width: The channels of a token within a block.
  ///   - heads: The number of attention heads.
  ///   - scale: The form of the log-scales a in z = (x − μ) · exp(−a); `.exponential` is the paper's.
  ///
  /// The paper's model for likelihoods of ImageNet 64² is
  /// `.tarFlow(layers: 8, width: 768, heads: 12, scale: .exponential)`: see the article *Presets*.
  ///
  /// Zhai et al. 2024, *Normalizing flows are capable generative models*, arXiv 2412.06329.
  ///
  /// - Precondition: `patch` is a power of two.
  public static func tarFlow(
    patch: Int = 2, blocks: Int = 8, layers: Int = 2, width: Int = 64, heads: Int = 1,
    scale: Affine.Scale = .bounded(4), prior: any Distribution = Normal()
  ) -> Flow {
    let network = CausalTransformer(width: width, layers: layers, heads: heads)
    let all = (0..<blocks).map { i in
      TokenAutoregressive(network, InverseTransformer(Affine(scale: scale)), isReversed: i % 2 == 1)
    }
    return Flow(Serial(patches(patch) + all), prior: prior)
  }

  /// Makes a Jet: affine couplings of patches with vision transformers.
  ///
  /// Of five couplings, four split the channels of all patches at random. The fifth splits patches as a
  /// checkerboard, whose colours take turns.
  ///
  /// A context is repeated at each patch, beside its channels. Draws are as fast as densities.
  ///
  /// - Parameters:
  ///   - patch: The side of a patch, a power of two that divides height and width.
  ///   - couplings: The number of couplings.
  ///   - layers: The number of transformer layers of a coupling.
  ///   - width: The channels of a token within a coupling.
  ///   - heads: The number of attention heads.
  ///   - scale: The form of the scales. The paper's is 2 · sigmoid, which starts at 1.
  ///
  /// The paper's model of ImageNet 64² is `.jet(couplings: 64, layers: 5, width: 512, heads: 8)`: see the
  /// article *Presets*.
  ///
  /// Kolesnikov, Pinto & Tschannen 2024, *Jet: a modern transformer-based normalizing flow*, arXiv
  /// 2412.15129.
  ///
  /// - Precondition: `patch` is a power of two.
  public static func jet(
    patch: Int = 4, couplings: Int = 10, layers: Int = 2, width: Int = 64, heads: Int = 4,
    scale: Affine.Scale = .within(low: 0, high: 2), prior: any Distribution = Normal()
  ) -> Flow {
    let network = VisionTransformer(width: width, layers: layers, heads: heads)
    let all = (0..<couplings).map { i in
      let board = i % 10 == 4 ? Split.checkerboard : .checkerboard.swapped
      return AffineCoupling(network, scale: scale, split: i % 5 == 4 ? board : .random)
    }
    return Flow(Serial(patches(patch) + all), prior: prior)
  }

  /// Makes squeezes that turn patches into positions.
  private static func patches(_ side: Int) -> [any Bijection] {
    require(
      side >= 1 && side & (side - 1) == 0, "Flow: a patch with a side that is a power of two, got \(side)")
    return repeating(side.trailingZeroBitCount) { [Squeeze()] }
  }
}
