import Randomness
import Tensors

/// A Möbius map of the sphere: it gathers points around a direction, or thins them out there.
///
/// Map, on the last axis: y = (1 − |ω|²) / |x − ω|² · (x − ω) − ω for a point ω inside the unit ball, and
/// unit vectors x of any dimension. ω = 0 gives y = x.
///
/// log|det J| = d log((1 − |ω|²) / |x − ω|²) with respect to areas of the sphere, whose dimension d is one
/// less than the number of channels: the map keeps angles. O(d). Several vectors of an image add up.
///
/// Inverse: the map for −ω; O(d).
///
/// Parameters: `center` [channels], c, normal with standard deviation 0.1 at first, with ω = 0.99 c / √(1 +
/// |c|²).
///
/// Domain: vectors of length 1, to 10⁻⁴, and the codomain the same. Errors: `mismatch` for one channel.
///
/// Rezende et al. 2020, *Normalizing flows on tori and spheres*, arXiv 2002.02428, the section on Möbius
/// transformations. Möbius maps in a row, with rotations between, are again a rotation of one.
public struct SphereMobius: Bijection {
  /// Makes a Möbius map.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, sphere) = (site.channels, Domain(site.inputDim, .unitVectors))
    try site.expect(size > 1, "SphereMobius", "channels", "at least two")
    let center = (0.1 * key.normal([size])).cast(to: site.dtype)

    @Sendable func body(_ sign: Double) -> Mapping.Body {
      { params, x, _ in
        let center = params["center"]
        let scaled = sign * 0.99 * center / sqrt(1 + square(center).sum())
        // A map that gathers points enlarges a deviation from length 1.
        let unit = x / sqrt(square(x).sum(axis: -1, keepDims: true))
        let difference = unit - scaled
        let ratio = (1 - square(scaled).sum()) / square(difference).sum(axis: -1, keepDims: true)
        return (ratio * difference - scaled, Double(size - 1) * log(ratio).sumPerRow())
      }
    }
    return site.layer(
      "SphereMobius", ["center": .leaf(center)], from: sphere, to: sphere, forward: body(1), inverse: body(-1)
    )
  }
}
