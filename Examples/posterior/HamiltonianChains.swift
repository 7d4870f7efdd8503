import Flows

/// Hamiltonian Monte Carlo on many chains at once: what a flow's posterior is compared with.
struct HamiltonianChains {
  let target: Target
  /// A chain a row.
  private(set) var positions: Tensor
  /// A step size a number, in units of its scale.
  let steps: Tensor
  private(set) var acceptance = 0.0
  private var rounds = 0.0

  /// Chains from given starts.
  init(_ target: Target, from positions: Tensor, steps: Tensor) {
    (self.target, self.positions, self.steps) = (target, positions, steps)
  }

  /// One proposal of some leapfrog steps for every chain, accepted by Metropolis' rule.
  mutating func advance(_ key: Key, leaps: Int) throws {
    let dtype = positions.dtype
    let momentum = key.folded(in: 0).normal(positions.shape, dtype: dtype)
    var (q, p) = (positions, momentum)
    p = p + 0.5 * steps * (try slope(q))
    for i in 1...leaps {
      q = q + steps * p
      p = p + (i < leaps ? 1 : 0.5) * steps * (try slope(q))
    }
    let gain =
      try target(q) - target(positions) + 0.5 * (square(momentum).sumPerRow() - square(p).sumPerRow())
    let accepted = log(key.folded(in: 1).uniform([positions.rows], dtype: dtype)) .< gain
    positions = select(where: accepted.expanded(axis: 1), q, positions)
    rounds += 1
    acceptance += (accepted.mean().item - acceptance) / rounds
  }

  private func slope(_ q: Tensor) throws -> Tensor { try gradient(at: q) { try target.logDensity($0).sum() } }
}
