import Bijections
import Randomness
import Tensors

/// The rows of a check, on a ladder of scales: 0 and 10⁻⁶ to 10³ with both signs, single numbers that are 0
/// or far out, and context from 0 to ten standard deviations.
enum Probes {
  /// The scale of each row.
  private static let scales: [Double] =
    [1, 1, 1, 1, 1, 1, 1, 1, 0, 1e-6, 1e-6, 1e-3, 1e-3, 0.1, 0.1]
    + [3, 3, 3, 3, 10, 10, 10, 10, 30, 30, 100, 100, 1e3, 1e3]
  /// The factor of one number in further rows of scale 1.
  private static let factors: [Double] = [0, 0, 10, -10, 100]

  /// The number of rows, which is more than most layers treat alike.
  static let count = scales.count + factors.count

  /// The rows whose scale is at most a bound.
  static func rows(upTo bound: Double) -> [Int] {
    let all = scales + factors.map { max(1, abs($0)) }
    return all.indices.filter { all[$0] <= bound }
  }

  /// The rows of scale 3 at most, at which derivatives have to be finite.
  static let near = Set(rows(upTo: 3))

  /// Normal numbers times the scales.
  private static func ladder(_ key: Key, _ shape: Shape) -> Tensor {
    let size = shape.count
    var values = key.folded(in: 0).normal([count, size], dtype: .float64).doubles
    for (row, scale) in scales.enumerated() {
      for i in 0..<size { values[row * size + i] *= scale }
    }
    let places = key.folded(in: 1).permutation(size)
    for (i, factor) in factors.enumerated() {
      values[(scales.count + i) * size + places[i % size]] *= factor
    }
    return Tensor(values, shape: shape.batched(count), dtype: .float64)
  }

  /// Rows inside a domain, and near its boundary.
  static func inputs(_ key: Key, in domain: Domain) -> Tensor {
    domain.sample(at: ladder(key, domain.shape))
  }

  /// A context per row: of scale 1 for most, of 0, 3 or 10 for some of the rows of scale 1.
  static func context(_ key: Key, _ shape: Shape) -> Tensor {
    let factors: [Double] = [1, 1, 3, 3, 10, 10, -10, 0]
    let all = factors + [Double](repeating: 1, count: count - factors.count)
    let ones = [Int](repeating: 1, count: shape.rank)
    return key.normal(shape.batched(count), dtype: .float64)
      * Tensor(all, shape: Shape([count] + ones), dtype: .float64)
  }
}

extension Domain {
  /// Maps real numbers into the domain. Numbers far out come near its boundary.
  func sample(at z: Tensor) -> Tensor {
    func clipped(_ bound: Double) -> Tensor { minimum(maximum(z, -bound), bound) }
    return switch values {
    case .reals: z
    case .positive: exp(clipped(7))
    case .nonNegative: select(where: z .== 0, 0, exp(clipped(7)))
    case .unitInterval: sigmoid(clipped(14))
    case .interval(-.infinity, let b): b - exp(clipped(7))
    case .interval(let a, .infinity): a + exp(clipped(7))
    case .interval(let a, let b): a + (b - a) * sigmoid(clipped(14))
    case .ordered: exp(clipped(3)).cumulativeSum(axis: -1) - 2
    case .simplex: clipped(5).softmax(axis: -1)
    case .correlationCholesky: clipped(2).correlationCholesky
    case .positiveDefinite: clipped(2).positiveDefinite
    case .unitVectors: clipped(2).unitVectors
    }
  }

  /// The distance of numbers from the ends of an interval, or else from 0: domains without ends are cones.
  func room(around x: Tensor) -> Tensor {
    switch values {
    case .unitInterval: minimum(x, 1 - x)
    case .interval(-.infinity, let b): b - x
    case .interval(let a, .infinity): x - a
    case .interval(let a, let b): minimum(x - a, b - x)
    default: abs(x)
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

extension Tensor {
  /// L Lᵀ for the lower triangles with the exponentials of the diagonal.
  fileprivate var positiveDefinite: Tensor {
    let size = shape[-1]
    let below = Triangle.strictlyLower.mask(size, size, dtype: dtype)
    let lower = below * self + Tensor.identity(size, dtype: dtype) * exp(self)
    return (lower.expanded(axis: 2) * lower.expanded(axis: 1)).sum(axis: 3)
  }

  /// The vectors scaled to length 1. A vector of zeros becomes one of equal numbers.
  fileprivate var unitVectors: Tensor {
    let length = sqrt(square(self).sum(axis: -1, keepDims: true))
    let isZero = (length .== 0).broadcast(to: shape)
    let whole = select(where: isZero, 1, self)
    return whole / sqrt(square(whole).sum(axis: -1, keepDims: true))
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

  /// The tree with numbers in turn added to the learned vectors and scalars, and noise to all leaves.
  func shifted(_ key: Randomness.Key, by shifts: Double...) -> Tree {
    var position = 0
    return perturbed(key).mapLearned { leaf in
      if (0..<leaf.rank).filter({ leaf.shape[$0] > 1 }).count > 1 { return leaf }
      position += 1
      return leaf + shifts[(position - 1) % shifts.count]
    }
  }
}
