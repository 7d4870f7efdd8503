import Randomness
import Tensors

/// A map from the sphere in three dimensions to the cylinder around it: an angle and a height.
///
/// Map: (x, y, z) ↦ (φ, z) with φ the angle of (x, y), between −π and π. log|det J| = 0 with respect to areas
/// of the sphere: the map keeps areas, as Archimedes found.
///
/// Inverse: (φ, z) ↦ (√(1 − z²) cos φ, √(1 − z²) sin φ, z) for any angle φ; a height beyond ±1 counts as
/// ±1. O(1) both. No parameters.
///
/// A flow of the cylinder behind it, with circular layers for φ and layers that keep ±1 for z, has a density
/// with respect to areas of the sphere. It is smooth but for the poles (0, 0, ±1), where it depends on the
/// direction from which they are approached. A height near ±1 says little of the distance to a pole: points
/// nearer than 3·10⁻⁴ (float32) or 10⁻⁸ (float64) may come back as the pole.
///
/// Domain: vectors of length 1, to 10⁻⁴. Errors: `mismatch` for samples that are not three numbers.
///
/// Rezende et al. 2020, *Normalizing flows on tori and spheres*, arXiv 2002.02428, the recursive
/// construction, whose factor is 1 on the sphere of dimension 2.
public struct SphereToCylinder: Bijection {
  /// Makes a map from the sphere.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.expect(site.inputDim == [3], "SphereToCylinder", "inputDim", "[3]")
    let zero: @Sendable (Tensor) -> Tensor = { .zeros([$0.rows], dtype: $0.dtype) }
    return site.layer(
      "SphereToCylinder", from: Domain([3], .unitVectors), to: Domain([2]), traits: .volumePreserving
    ) { _, x, _ in
      (
        concatenate(
          planeAngle(x.column(0), x.column(1)).expanded(axis: 1), x.sliced(axis: 1, 2..<3), axis: 1),
        zero(x)
      )
    } inverse: { _, y, _ in
      let (angle, height) = (y.sliced(axis: 1, 0..<1), minimum(maximum(y.sliced(axis: 1, 1..<2), -1), 1))
      let radius = sqrt((1 - height) * (1 + height))
      return (concatenate([radius * cos(angle), radius * sin(angle), height], axis: 1), zero(y))
    }
  }
}

/// A map from an angle and a height to the sphere in three dimensions, the inverse of `SphereToCylinder`.
///
/// Map, log|det J| and inverse: the inverse direction of `SphereToCylinder`. No parameters.
///
/// Domain: all reals. Errors: `mismatch` for samples that are not two numbers.
public struct CylinderToSphere: Bijection {
  /// Makes a map to the sphere.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.expect(site.inputDim == [2], "CylinderToSphere", "inputDim", "[2]")
    return try opposite(of: SphereToCylinder(), from: 3, key, at: site)
  }
}
