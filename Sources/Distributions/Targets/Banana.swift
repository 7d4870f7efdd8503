import Bijections
import Randomness
import Tensors

/// The banana: a normal distribution bent along a parabola.
///
/// x₁ ~ N(0, v), x₂ = z₂ − b x₁² + b v and xᵢ = zᵢ for i > 2, with z standard normal. The bend preserves
/// volume, so log p(x) = log N(x₁; 0, v) + log N(x₂ + b x₁² − b v) + Σ log N(xᵢ). Densities and draws cost
/// O(D).
///
/// Parameters: those of the normal distribution, frozen. A context is ignored. Domain: all reals. Errors:
/// `mismatch` for samples that are not vectors of at least two numbers.
///
/// Haario, Saksman & Tamminen 1999, *Adaptive proposal distribution for random walk Metropolis algorithm*,
/// section 4, as in NormalizingFlows.jl's examples. InvertibleNetworks.jl uses the name for N(0, c₁⁻²) bent
/// along a parabola that opens upwards.
public struct Banana: Distribution {
  private let curvature: Double
  private let variance: Double

  /// Makes a banana with curvature b whose first number has variance v.
  ///
  /// - Precondition: The variance is positive.
  public init(curvature: Double = 0.1, variance: Double = 100) {
    require(variance > 0, "a variance is positive, got \(variance)")
    (self.curvature, self.variance) = (curvature, variance)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let size = try site.vectorSize(of: "Banana", atLeast: 2)
    let (b, v) = (curvature, variance)
    let straight = Lambda { _, site in
      site.signed("Banana") { x, sign in
        let first = x.sliced(axis: 1, 0..<1)
        let second = x.sliced(axis: 1, 1..<2) + sign * b * (square(first) - v)
        return concatenate([first, second, x.sliced(axis: 1, 2..<size)], axis: 1)
      }
    }
    let deviations = [v.squareRoot()] + [Double](repeating: 1, count: size - 1)
    return try Flow(straight, prior: Normal(location: 0, scale: .fixed(deviations)))
      .initialize(key, at: site)
  }
}

extension Site {
  /// Makes a layer that preserves volume and whose inverse is the same function with the opposite sign.
  func signed(
    _ name: String, _ function: @escaping @Sendable (_ x: Tensor, _ sign: Double) -> Tensor
  ) -> Initialized {
    volumePreserving(name, forward: { _, x, _ in function(x, 1) }, inverse: { _, z, _ in function(z, -1) })
  }

  /// The size of a sample, or an error if it is not a vector.
  func vectorSize(of who: String, atLeast least: Int) throws(FlowError) -> Int {
    guard inputDim.rank == 1, inputDim.count >= least else {
      throw .mismatch(
        who: who, what: "inputDim", expected: "a vector of at least \(least) numbers", got: "\(inputDim)")
    }
    return inputDim.count
  }
}
