import Bijections
import Networks
import Tensors

/// Ready-made flows of the joint density of observations and unknowns.
extension Flow {
  /// The joint density of observations and unknowns, (y, x) with y first: see `JointHINT` for draws from the posterior.
  public static func jointHINT(
    observed: Int, layers: Int = 6, hidden: [Int] = [64, 64], scale: Affine.Scale = .bounded(2),
    prior: any Distribution = Normal()
  ) -> Flow {
    Flow(
      repeating(layers) {
        [
          ActNorm(),
          JointHINT(MLP(hidden: hidden), Affine(scale: scale), observed: observed, isShared: false),
        ]
      }, prior: prior)
  }

  /// The joint density of two images [height, width, channels], (y, x) concatenated on the channels and of equally many, each
  /// squeezed at every level.
  ///
  /// With `factorsOut`, half of each image's channels go out between levels; the latents are then one vector, of which the
  /// first half is z_y, so draws from the posterior work as `JointHINT` says.
  ///
  /// Kruse et al. 2021, *HINT*, arXiv 1905.10687; NetworkMultiScaleConditionalHINT of InvertibleNetworks.jl.
  public static func multiScaleJointHINT(
    channels: Int, levels: Int = 2, steps: Int = 4, hidden: Int = 64, squeeze: SqueezePattern = .haar,
    factorsOut: Bool = false, prior: any Distribution = Normal()
  ) -> Flow {
    let network = ConvNet(hidden: [hidden, hidden])
    // The channels of one image after a level's squeeze.
    let widths = (1...levels).map { channels << (factorsOut ? $0 + 1 : 2 * $0) }
    let all = widths.map { width -> Serial in
      let inside = Serial(
        (0..<steps).flatMap { _ -> [any Bijection] in
          [ActNorm(), JointHINT(network, observed: width, isShared: false)]
        })
      return Serial(BothHalves(Squeeze(squeeze)), inside)
    }
    if !factorsOut { return Flow(Serial(all.flatMap(\.layers)), prior: prior) }
    // (a, b) of y and (a, b) of x become a pair of both a, which goes on, and one of both b, which goes out.
    let levels = zip(all, widths).enumerated().map { i, level -> any Bijection in
      let (layers, width) = level
      let order = [0, 2, 1, 3].flatMap { quarter in (0..<width / 2).map { quarter * width / 2 + $0 } }
      return i == all.count - 1 ? layers : Serial(layers.layers + [Permute(order)])
    }
    return Flow(Serial(MultiScale(levels), lanesApart(widths)), prior: prior)
  }

  /// The latents of factored-out pairs, with all that is y's first. A level's part has positions of pairs, half y's.
  private static func lanesApart(_ widths: [Int]) -> Lambda {
    Lambda { (key, site) throws(FlowError) in
      var (first, second, start) = ([Int](), [Int](), 0)
      // Those of the image: the first squeeze leaves a quarter of them, with 2 widths[0] channels each.
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
