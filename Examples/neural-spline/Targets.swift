import Flows

/// Distributions in the plane that are far from normal.
enum Target: String, CaseIterable {
  case moons, swirl, checkerboard, rings

  /// Draws points, shape [count, 2].
  func sample(_ key: Key, count: Int) -> Tensor {
    let (first, second, third) = (
      key.folded(in: 0).uniform([count]), key.folded(in: 1).uniform([count]), key.folded(in: 2)
    )
    switch self {
    case .moons:  // Two half circles of radius 1.
      let angle = Double.pi * first
      let isUpper = second .< 0.5
      let x = select(where: isUpper, cos(angle), 1 - cos(angle)) - 0.5
      let y = select(where: isUpper, sin(angle), 0.5 - sin(angle)) - 0.25
      return stack([x, y], axis: 1) + 0.07 * third.normal([count, 2])
    case .swirl:  // An arm of one and a half turns, with uniform density along its length.
      let angle = 3 * Double.pi * sqrt(first)
      let arm = stack([-cos(angle), sin(angle)], axis: 1) * (angle / 3.0).expanded(axis: 1)
      return arm + 0.1 * third.normal([count, 2])
    case .checkerboard:  // The uniform density on eight of sixteen unit squares.
      let (column, row) = (floor(4 * first), floor(2 * second))
      let within = third.uniform([count, 2])
      let y = 2 * row + (column - 2 * floor(column / 2))
      return stack([column, y], axis: 1) + within - 2
    case .rings:  // Four concentric circles of equal mass.
      let radius = 0.75 * (1 + floor(4 * first))
      let angle = 2 * Double.pi * second
      let circle = stack([cos(angle), sin(angle)], axis: 1) * radius.expanded(axis: 1)
      return circle + 0.06 * third.normal([count, 2])
    }
  }

  /// Half the side of the picture.
  var extent: Double {
    switch self {
    case .moons: 2
    case .swirl: 3.8
    case .checkerboard: 2.4
    case .rings: 3.6
    }
  }
}
