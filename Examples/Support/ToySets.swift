import Flows

/// The two-dimensional examples of FFJORD and OT-Flow, by the formulas of their public code.
///
/// Grathwohl et al. 2018, arXiv 1810.01367; Onken et al. 2021, arXiv 2006.00104.
public enum ToySet: String, CaseIterable {
  case moons
  case circles
  case swissRoll = "swiss-roll"
  case eightGaussians = "8-gaussians"
  case pinwheel
  case twoSpirals = "2-spirals"
  case checkerboard

  /// The settings of OT-Flow for this set.
  public var settings: OTFlowSettings {
    switch self {
    case .moons: .moons
    case .circles: .circles
    case .swissRoll: .swissRoll
    case .eightGaussians: .eightGaussians
    case .pinwheel: .pinwheel
    case .twoSpirals: .twoSpirals
    case .checkerboard: .checkerboard
    }
  }

  /// Draws points.
  public func draw(_ key: Key, count: Int) -> Tensor {
    func uniform(_ purpose: Int) -> Tensor { key.folded(in: purpose).uniform([count], dtype: .float64) }
    func noise(_ purpose: Int) -> Tensor { key.folded(in: purpose).normal([count], dtype: .float64) }
    func points(_ x: Tensor, _ y: Tensor) -> Tensor { stack([x, y], axis: 1).cast(to: .float32) }
    let half = uniform(0) .< 0.5
    let angle = Double.pi * uniform(1)
    switch self {
    case .moons:
      let x = select(where: half, cos(angle), 1 - cos(angle)) + 0.1 * noise(2)
      let y = select(where: half, sin(angle), 0.5 - sin(angle)) + 0.1 * noise(3)
      return points(2 * x - 1, 2 * y - 0.2)
    case .circles:
      let radius = select(where: half, Tensor.full([count], 1, dtype: .float64), 0.5)
      let x = radius * cos(2 * angle) + 0.08 * noise(2)
      let y = radius * sin(2 * angle) + 0.08 * noise(3)
      return points(3 * x, 3 * y)
    case .swissRoll:
      let turn = 1.5 * Double.pi * (1 + 2 * uniform(0))
      return points((turn * cos(turn) + noise(2)) / 5, (turn * sin(turn) + noise(3)) / 5)
    case .eightGaussians:
      let place = floor(8 * uniform(0)) * (Double.pi / 4)
      let scale = 2.0.squareRoot()
      return points((4 * cos(place) + 0.5 * noise(2)) / scale, (4 * sin(place) + 0.5 * noise(3)) / scale)
    case .pinwheel:
      let radial = 1 + 0.3 * noise(2)
      let tangential = 0.1 * noise(3)
      let turn = floor(5 * uniform(0)) * (2 * Double.pi / 5) + 0.25 * exp(radial)
      return points(
        2 * (radial * cos(turn) + tangential * sin(turn)), 2 * (tangential * cos(turn) - radial * sin(turn)))
    case .twoSpirals:
      let turn = sqrt(uniform(1)) * (3 * Double.pi)
      let sign = select(where: half, Tensor.full([count], 1, dtype: .float64), -1)
      let x = sign * (uniform(2) / 2 - cos(turn) * turn) / 3 + 0.1 * noise(4)
      let y = sign * (uniform(3) / 2 + sin(turn) * turn) / 3 + 0.1 * noise(5)
      return points(x, y)
    case .checkerboard:
      let x = 4 * uniform(0) - 2
      let row = floor(x) - 2 * floor(floor(x) / 2)
      return points(2 * x, 2 * (uniform(1) - 2 * floor(2 * uniform(2)) + row))
    }
  }
}
