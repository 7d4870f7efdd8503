import Bijections
import Randomness
import Tensors

/// A surjection that keeps the first numbers of a vector and drops the others.
///
/// Forward: z is the first `kept` numbers of x. The dropped numbers have a distribution given z, and the
/// log-weight is log p(dropped | z), which is exact. Inverse: draws them from that distribution; the
/// log-weight is −log p(dropped | z). O(n), and the distribution.
///
/// Parameters: `dropped`, those of the distribution, which receives z as its context.
///
/// Domain: all reals. Errors: those of the distribution; `mismatch` for samples that are not vectors of more
/// than `kept` numbers, or with a context.
///
/// Nielsen et al. 2020, arXiv 2007.02731 (slicing, inference surjection).
public struct SliceSurjection: WeightedLayer {
  private let kept: Int
  private let dropped: any Distribution

  /// Keeps `kept` numbers and models the others, given these, by `dropped`, for instance a
  /// `ConditionalNormal`.
  ///
  /// - Precondition: At least one number is kept.
  public init(keeping kept: Int, dropped: any Distribution) {
    require(kept > 0, "SliceSurjection: at least one number is kept, got \(kept)")
    (self.kept, self.dropped) = (kept, dropped)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedWeighted {
    let (size, kept) = (site.channels, kept)
    try site.expect(
      site.inputDim.rank == 1 && size > kept && site.contextDim == nil, "SliceSurjection", "inputDim",
      "a vector of more than \(kept) numbers, without a context")
    var place = site
    (place.inputDim, place.contextDim) = (Shape(size - kept), Shape(kept))
    (place.initInputs, place.initContext) = (nil, nil)
    let (params, logPDF, sample) = try dropped.initialize(key, at: place)
    return site.weighted("SliceSurjection", ["dropped": params], to: Domain([kept])) {
      (_, params, x, _) throws(FlowError) in
      let z = x.sliced(axis: 1, 0..<kept)
      return (z, try logPDF.body(params.child("dropped"), x.sliced(axis: 1, kept..<size), z))
    } inverse: { (key, params, z, _) throws(FlowError) in
      let (rest, logDensity) = try sample.body(key, params.child("dropped"), z.rows, z)
      return (concatenate(z, rest, axis: 1), -logDensity)
    }
  }
}

/// A surjection to absolute values.
///
/// Forward: z = |x| for each number. Both signs are equally probable given z, so the log-weight is −n log 2
/// for n numbers, which is exact. Inverse: draws the signs; the log-weight is n log 2. O(n). No parameters.
/// It models densities that do not change if a number changes its sign.
///
/// Domain: all reals; the codomain is numbers not below 0. Errors: none of its own.
///
/// Nielsen et al. 2020, arXiv 2007.02731 (absolute value, inference surjection).
public struct AbsoluteSurjection: WeightedLayer {
  /// Makes a surjection to absolute values.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedWeighted {
    let logCount = Double(site.inputDim.count) * 0.69314718055994530942
    return site.weighted("AbsoluteSurjection", to: Domain(site.inputDim, .nonNegative)) { _, _, x, _ in
      (abs(x), .full([x.rows], -logCount, dtype: x.dtype))
    } inverse: { key, _, z, _ in
      let isPositive = key.uniform(z.shape, dtype: z.dtype) .< 0.5
      return (select(where: isPositive, z, -z), .full([z.rows], logCount, dtype: z.dtype))
    }
  }
}

/// A surjection to the largest number of a vector.
///
/// Forward: z = max x. Given z, each place of the largest number is equally probable, and the other numbers
/// are below z by independent exponential numbers of a learned rate r. So the log-weight is (n − 1) log r −
/// r Σ (z − xᵢ) − log n, which is exact. Inverse: draws the place and the others. O(n).
///
/// Parameters: `logRate` [1], 0 at first.
///
/// Domain: all reals. Errors: `mismatch` for samples that are not vectors.
///
/// Nielsen et al. 2020, arXiv 2007.02731 (maximum, inference surjection).
public struct MaxSurjection: WeightedLayer {
  /// Makes a surjection to the largest number.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedWeighted {
    let size = site.channels
    try site.expect(site.inputDim.rank == 1, "MaxSurjection", "inputDim", "a vector")
    let params: Params = ["logRate": .leaf(.zeros([1], dtype: site.dtype))]
    /// The log-weight for the sum of the gaps below the largest number.
    @Sendable func logWeight(_ params: Params, _ gaps: Tensor) -> Tensor {
      let logRate = params["logRate"]
      return Double(size - 1) * logRate - exp(logRate) * gaps - logarithm(Double(size))
    }
    return site.weighted("MaxSurjection", params, to: Domain([1])) { _, params, x, _ in
      let z = x.max(axis: 1, keepDims: true)
      return (z, logWeight(params, (z - x).sumPerRow()))
    } inverse: { key, params, z, _ in
      let place = key.folded(in: 0).integers([z.rows, 1], in: 0..<size).cast(to: z.dtype)
      let places = Tensor((0..<size).map(Double.init), dtype: z.dtype)
      let units = key.folded(in: 1).exponential([z.rows, size], dtype: z.dtype)
      let gaps = select(where: places .== place, 0, units * exp(-params["logRate"]))
      return (z - gaps, -logWeight(params, gaps.sumPerRow()))
    }
  }
}

/// A surjection from real latents to whole numbers: the data are latents rounded down.
///
/// Forward: z = x + u with uniform noise u in (0, 1), for whole numbers x. Inverse: x = ⌊z⌋. Both log-weights
/// are 0: p(x | z) is 1 for the one x, and the noise has the density 1. So a flow's log-density of x is a
/// lower bound in expectation, as with `Dequantized`. Rounding leaves ⌊z⌋ = x: from 2²³ (float32) or 2⁵²
/// (float64) on, where a dtype has whole numbers alone, z is x. O(n). No parameters.
///
/// Domain: all reals, and −∞ is the log-weight of a row with a number that is not whole. Errors: none of its
/// own.
///
/// Nielsen et al. 2020, arXiv 2007.02731 (rounding, generative surjection).
public struct RoundingSurjection: WeightedLayer {
  /// Makes a surjection to whole numbers.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedWeighted {
    site.weighted("RoundingSurjection", to: Domain(site.inputDim)) { key, _, x, _ in
      // Half a step below the next whole number, relative to its size, is the largest that keeps the floor.
      let most = x + 1 - maximum(abs(x), 1) * x.dtype.epsilon
      let z = maximum(minimum(x + key.uniform(x.shape, dtype: x.dtype), most), x)
      let isBroken = (floor(x) .< x).sumPerRow() .> 0
      return (z, select(where: isBroken, -.infinity, Tensor.zeros([x.rows], dtype: x.dtype)))
    } inverse: { _, _, z, _ in
      (floor(z), .zeros([z.rows], dtype: z.dtype))
    }
  }
}
