import Bijections
import Networks
import Tensors

/// Preset flows for the joint density of observations y and unknowns x.
extension Flow {
  /// Makes a flow for the joint density of vectors (y, x), y first. `JointHINT` explains draws from the
  /// posterior.
  public static func jointHINT(
    observed: Int, layers: Int = 6, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    stacked(layers, prior) {
      [ActNorm(), JointHINT(MLP(hidden: hidden), Affine(scale: scale), observed: observed, isShared: false)]
    }
  }

  /// Makes a flow for the joint density of two images [height, width, channels].
  ///
  /// The images (y, x) are concatenated on the channels, with the same number each, and squeezed at every
  /// level. With `factorsOut`, half of each image's channels are factored out between levels. The latents are
  /// then one vector whose first half is z_y, so draws from the posterior work as in `JointHINT`.
  ///
  /// Kruse et al. 2021, *HINT*, arXiv 1905.10687; NetworkMultiScaleConditionalHINT of InvertibleNetworks.jl.
  public static func multiScaleJointHINT(
    channels: Int, levels: Int = 2, steps: Int = 4, hidden: Int = 64, squeeze: SqueezePattern = .haar,
    factorsOut: Bool = false, prior: any Distribution = Normal()
  ) -> Flow {
    let network = ConvNet(hidden: [hidden, hidden])
    // The number of channels of one image after a level's squeeze.
    let widths = (1...levels).map { channels << (factorsOut ? $0 + 1 : 2 * $0) }
    let all = widths.map { width in
      Serial(
        BothHalves(Squeeze(squeeze)),
        Serial(repeating(steps) { [ActNorm(), JointHINT(network, observed: width, isShared: false)] }))
    }
    if !factorsOut { return Flow(Serial(all.flatMap(\.layers)), prior: prior) }
    // (a, b) of y and (a, b) of x become a pair of both a, which is kept, and a pair of both b, which is
    // factored out.
    let levels = zip(all, widths).enumerated().map { i, level -> any Bijection in
      let (layers, width) = level
      let order = [0, 2, 1, 3].flatMap { quarter in (0..<width / 2).map { quarter * width / 2 + $0 } }
      return i == all.count - 1 ? layers : Serial(layers.layers + [Permute(order)])
    }
    return Flow(Serial(MultiScale(levels), lanesApart(widths)), prior: prior)
  }

  /// Reorders the latents of factored-out pairs so that those of y come first.
  ///
  /// A level's part holds pairs per position, with the half of y first.
  private static func lanesApart(_ widths: [Int]) -> Lambda {
    Lambda { (key, site) throws(FlowError) in
      var (first, second, start) = ([Int](), [Int](), 0)
      // The number of positions: the first squeeze leaves a quarter of them, with 2 widths[0] channels each.
      var positions = 4 * site.inputDim.count / (2 * widths[0])
      for (i, width) in widths.enumerated() {
        let lane = i == widths.count - 1 ? width : width / 2
        positions /= 4
        for _ in 0..<positions {
          first += start..<start + lane
          second += start + lane..<start + 2 * lane
          start += 2 * lane
        }
      }
      return try Permute(first + second).initialize(key, at: site)
    }
  }
}
