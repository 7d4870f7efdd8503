import Randomness
import Tensors

/// Points along a spiral with uniform noise: draws without a density, for fits to samples.
///
/// (x, y) = (−n cos n + ε₁, n sin n + ε₂) with n = √u · 800 · 2π / 360, u uniform on [0, 1) and ε uniform on [0, noise).
///
/// The swirl of InvertibleNetworks.jl.
public struct Swirl: Sendable {
  private let noise: Double

  /// A swirl with a width of noise.
  public init(noise: Double = 1) { self.noise = noise }

  /// Draws, [count, 2].
  public func callAsFunction(_ key: Key, count: Int, dtype: DType = .float32) -> Tensor {
    let turns = 800.0 * 2 * Double.pi / 360
    let angle = turns * sqrt(key.folded(in: 0).uniform([count], dtype: dtype))
    return stack([-cos(angle) * angle, sin(angle) * angle], axis: 1)
      + noise * key.folded(in: 1).uniform([count, 2], dtype: dtype)
  }
}
