import Randomness
import Tensors

/// A map from vectors of rising numbers to all vectors.
///
/// Map, on the last axis: y₁ = x₁, yₖ = log(xₖ − xₖ₋₁). log|det J| = −Σ_{k > 1} yₖ; O(D).
///
/// Inverse: x is the running sum of (y₁, exp y₂, …); O(D). No parameters.
///
/// Domain: vectors with xₖ > xₖ₋₁. Errors: none of its own.
///
/// Stan's reference manual, "Ordered vector".
public struct FromOrdered: Bijection {
  /// Makes a map from rising numbers.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.channels
    let traits: Mapping.Traits = size == 1 ? .volumePreserving : []  // the identity of one number
    return site.layer("FromOrdered", from: Domain(site.inputDim, .ordered), traits: traits) { _, x, _ in
      let logGaps = log(x.sliced(axis: -1, 1..<size) - x.sliced(axis: -1, 0..<size - 1))
      return (concatenate([x.sliced(axis: -1, 0..<1), logGaps], axis: -1), -logGaps.sumPerRow())
    } inverse: { _, y, _ in
      let logGaps = y.sliced(axis: -1, 1..<size)
      let terms = concatenate([y.sliced(axis: -1, 0..<1), exp(logGaps)], axis: -1)
      return (terms.cumulativeSum(axis: -1), logGaps.sumPerRow())
    }
  }
}
