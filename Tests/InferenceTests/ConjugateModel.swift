import Bijections
import Distributions
import Inference
import Networks
import Randomness
import Tensors

/// θ ~ N(0, 1)², x = θ + ½ ε: the posterior of each number is N(0.8 x, 0.2).
enum ConjugateModel {
  static let deviation = 0.2.squareRoot()
  static func prior() throws -> SimulationPrior { try .normal(mean: [0, 0], deviation: [1, 1]) }

  static func simulate(_ key: Key, _ theta: Tensor) -> Tensor {
    theta + 0.5 * key.normal(theta.shape, dtype: theta.dtype)
  }

  /// `count` draws of the true posterior given each row of data, with a scale and a shift of its deviation.
  static func draws(_ key: Key, _ data: Tensor, count: Int, scale: Double = 1, shift: Double = 0) -> Tensor {
    let noise = key.normal([data.rows, count, 2])
    return 0.8 * data.expanded(axis: 1) + deviation * (scale * noise + shift)
  }

  /// The log-density of that posterior up to a constant, `[pairs, draws]`.
  static func logDensity(_ theta: Tensor, _ data: Tensor) -> Tensor {
    square((theta - 0.8 * data.expanded(axis: 1)) / deviation).sum(axis: 2) * -0.5
  }
}
