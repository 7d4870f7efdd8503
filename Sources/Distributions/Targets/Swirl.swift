import Randomness
import Tensors

/// The swirl: random points along a spiral with uniform noise. It has draws but no density, for fits to
/// samples.
///
/// (x, y) = (−n cos n + ε₁, n sin n + ε₂) with n = √u · 800 · 2π / 360, u uniform on [0, 1) and ε uniform on
/// [0, noise), as in InvertibleNetworks.jl.
public struct Swirl: Sendable {
  private let noise: Double

  /// Makes a swirl with a noise width.
  public init(noise: Double = 1) { self.noise = noise }

  /// Draws points, shape [count, 2].
  public func callAsFunction(_ key: Key, count: Int, dtype: DType = .float32) -> Tensor {
    let turns = 800.0 * 2 * Double.pi / 360
    let angle = turns * sqrt(key.folded(in: 0).uniform([count], dtype: dtype))
    return stack([-cos(angle) * angle, sin(angle) * angle], axis: 1)
      + noise * key.folded(in: 1).uniform([count, 2], dtype: dtype)
  }
}
