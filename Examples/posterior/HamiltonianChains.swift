import ExampleSupport
import Flows

/// Hamiltonian Monte Carlo on many chains at once, as a reference for a flow's posterior.
struct HamiltonianChains {
  let target: Target
  /// The current position of each chain, one per row.
  private(set) var positions: Tensor
  /// The lower triangular factor of the covariance that scales the steps.
  private let factor: Tensor
  private let step: Double
  private let leaps: Int
  private var rounds = 0
  private var accepted = 0.0

  /// Starts chains at given positions. Without a factor, steps are equally long in every direction.
  init(_ target: Target, from positions: Tensor, factor: Tensor? = nil, step: Double, leaps: Int) {
    (self.target, self.positions, self.step, self.leaps) = (target, positions, step, leaps)
    self.factor = factor ?? .identity(positions.shape[1], dtype: positions.dtype)
  }

  /// The acceptance rate of the proposals.
  var acceptance: Double { accepted / Double(max(rounds, 1)) }

  /// Runs the chains and returns their positions after each round, shape `[rounds * chains, numbers]`.
  mutating func run(_ key: Key, rounds: Int) throws -> Tensor {
    var kept: [Tensor] = []
    for round in 0..<rounds {
      try advance(key.folded(in: round))
      kept.append(positions)
    }
    return concatenate(kept, axis: 0)
  }

  /// Proposes a position for every chain by leapfrog steps in q = L z, and accepts it by Metropolis' rule.
  private mutating func advance(_ key: Key) throws {
    let dtype = positions.dtype
    let momentum = key.folded(in: 0).normal(positions.shape, dtype: dtype)
    var (q, p) = (positions, momentum + 0.5 * step * (try slope(positions)))
    for i in 1...leaps {
      q = q + step * matmul(p, factor, transposeB: true)
      p = p + (i < leaps ? 1 : 0.5) * step * (try slope(q))
    }
    let gain =
      try target(q) - target(positions) + 0.5 * (square(momentum).sumPerRow() - square(p).sumPerRow())
    let isAccepted = log(key.folded(in: 1).uniform([positions.rows], dtype: dtype)) .< gain
    positions = select(where: isAccepted.expanded(axis: 1), q, positions)
    accepted += isAccepted.mean().item
    rounds += 1
  }

  /// The gradient of the log-density by z, which is g L with g the gradient by q.
  private func slope(_ q: Tensor) throws -> Tensor {
    matmul(try gradient(at: q) { try target.logDensity($0).sum() }, factor)
  }
}

/// The lower triangular factor L of the rows' covariance L Lᵀ.
func covarianceFactor(of rows: Tensor) -> Tensor {
  let (a, n) = (covariance(rows).doubles, rows.shape[1])
  var l = [Double](repeating: 0, count: n * n)
  for i in 0..<n {
    for j in 0...i {
      let rest = (0..<j).reduce(a[i * n + j]) { $0 - l[i * n + $1] * l[j * n + $1] }
      l[i * n + j] = i == j ? rest.squareRoot() : rest / l[j * n + j]
    }
  }
  return Tensor(l, shape: [n, n], dtype: .float64)
}
