import Bijections
import Randomness
import Tensors

extension Domain {
  /// Draws rows inside the domain, the default inputs of a check.
  func samples(_ key: Key, rows: Int, dtype: DType) -> Tensor {
    let z = key.normal(shape.batched(rows), dtype: dtype)
    return switch values {
    case .reals: z
    case .positive, .nonNegative: exp(z)
    case .unitInterval: sigmoid(z)
    case .interval(-.infinity, let b): b - exp(z)
    case .interval(let a, .infinity): a + exp(z)
    case .interval(let a, let b): a + (b - a) * sigmoid(z)
    case .ordered: exp(z).cumulativeSum(axis: -1) - 2
    case .simplex: z.softmax(axis: -1)
    case .correlationCholesky: z.correlationCholesky
    }
  }
}

extension Tensor {
  /// The lower triangles with a positive diagonal and rows scaled to length 1.
  fileprivate var correlationCholesky: Tensor {
    let size = shape[-1]
    let below = Triangle.strictlyLower.mask(size, size, dtype: dtype)
    let lower = below * self + Tensor.identity(size, dtype: dtype) * exp(self)
    return lower / sqrt(square(lower).sum(axis: -1, keepDims: true))
  }
}

extension Tree where Leaf == Tensor {
  /// The tree with normal noise added to every learned leaf. The key of leaf i is `key.folded(in: i)`.
  public func perturbed(_ key: Randomness.Key, by deviation: Double = 0.1) -> Tree {
    var position = 0
    return mapLearned { leaf in
      defer { position += 1 }
      return leaf + deviation * key.folded(in: position).normal(leaf.shape).cast(to: leaf.dtype)
    }
  }
}
