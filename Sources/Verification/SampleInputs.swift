import Bijections
import Randomness
import Tensors

extension Domain {
  /// Rows inside the domain, drawn from a key: what a check runs on when it is given none.
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
  /// The lower triangles with a positive diagonal, rows scaled to length 1.
  fileprivate var correlationCholesky: Tensor {
    let size = shape[-1]
    let below = Triangle.strictlyLower.mask(size, size, dtype: dtype)
    let lower = below * self + Tensor.identity(size, dtype: dtype) * exp(self)
    return lower / sqrt(square(lower).sum(axis: -1, keepDims: true))
  }
}

extension Tree where Leaf == Tensor {
  /// Every learned leaf moved by normal noise, leaf i with `key.folded(in: i)`.
  public func perturbed(_ key: Randomness.Key, by deviation: Double = 0.1) -> Tree {
    var position = 0
    return mapLearned { leaf in
      defer { position += 1 }
      return leaf + deviation * key.folded(in: position).normal(leaf.shape).cast(to: leaf.dtype)
    }
  }
}
