import Bijections
import Networks

/// Preset flows on tori and the sphere, and a Gaussianization flow.
extension Flow {
  /// Makes a flow of angles: a distribution on the torus of as many dimensions as a sample has numbers.
  ///
  /// Each layer is a coupling of circular rational-quadratic splines, whose network sees sines and cosines
  /// of the other angles, and a learned shift of each angle. Halves alternate. Draws are between −π and π.
  /// The prior is uniform by default; a `VonMises`, or a `Mixture` of these, is of the torus too. Rezende
  /// et al. 2020, arXiv 2002.02428, the sections on circular splines and on tori.
  public static func torus(
    layers: Int = 8, hidden: [Int] = [64, 64], bins: Int = 8,
    prior: any Distribution = Uniform(from: -.pi, to: .pi)
  ) -> Flow {
    let spline = CircularRationalQuadraticSpline(bins: bins)
    let steps = (0..<layers).flatMap { i -> [any Bijection] in
      let split = i % 2 == 0 ? Split.firstHalf : .firstHalf.swapped
      return [Coupling(MLP(hidden: hidden), spline, split: split), Unconditional(Shift())]
    }
    return Flow(Serial([WrappedAngles()] + steps + [WrappedAngles()]), prior: prior)
  }

  /// Makes a flow on the sphere in three dimensions, whose density is with respect to areas.
  ///
  /// The sphere is mapped to the cylinder around it (`SphereToCylinder`). Each layer turns and bends the
  /// angle given the height, by a shift and a circular spline, and then the height given the angle, by a
  /// spline of ±1. The prior is uniform on the sphere by default. Rezende et al. 2020, arXiv 2002.02428,
  /// the section on recursive flows.
  public static func sphere(
    layers: Int = 4, hidden: [Int] = [64, 64], bins: Int = 8, prior: any Distribution = UniformSphere()
  ) -> Flow {
    let (angle, height) = (Split.mask([false, true]), Split.mask([true, false]))
    let circular = CircularRationalQuadraticSpline(bins: bins)
    let interval = RationalQuadraticSpline(bins: bins, bound: 1)
    let steps = repeating(layers) {
      [
        Coupling(MLP(hidden: hidden), Shift(), split: angle),
        Coupling(MLP(hidden: hidden), circular, split: angle, isPeriodic: false),
        Coupling(MLP(hidden: hidden), interval, split: height, isPeriodic: true),
      ]
    }
    return Flow(Serial([SphereToCylinder()] + steps + [CylinderToSphere()]), prior: prior)
  }

  /// Makes a Gaussianization flow: layers of a rotation and a Gaussianization of each number.
  ///
  /// Standardize the data. The inverse is numerical, so draws cost about ten times as much as densities.
  /// Meng et al. 2020, arXiv 2003.01941, whose rotations are products of reflections.
  public static func gaussianization(
    layers: Int = 6, components: Int = 8, prior: any Distribution = Normal()
  ) -> Flow {
    stacked(layers, prior) { [Rotation(), Gaussianization(components: components)] }
  }
}
