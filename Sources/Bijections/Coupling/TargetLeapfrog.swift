import Tensors

/// The leapfrog steps of Hamiltonian dynamics for a target.
package struct TargetLeapfrog: Sendable {
  private let steps: Int
  private let logDensity: Hamiltonian.LogDensity

  /// A number of steps along the gradient of a log-density.
  package init(steps: Int, logDensity: @escaping Hamiltonian.LogDensity) {
    (self.steps, self.logDensity) = (steps, logDensity)
  }

  /// Runs the steps. Two adjacent half steps of the momentum are computed as one.
  package func callAsFunction(
    _ position: Tensor, _ momentum: Tensor, _ step: Tensor
  ) throws(FlowError) -> (Tensor, Tensor) {
    var (q, p) = (position, momentum + 0.5 * step * (try slope(at: position)))
    for i in 1...steps {
      q = q + step * p
      p = p + (i < steps ? 1 : 0.5) * step * (try slope(at: q))
    }
    return (q, p)
  }

  /// Computes ∇log π of each row, as the gradient of the sum: the density of a row depends on that row alone.
  private func slope(at positions: Tensor) throws(FlowError) -> Tensor {
    var failure: FlowError?
    let slope = gradient(at: positions) { q in
      do throws(FlowError) { return try logDensity(q).sum() } catch {
        failure = error
        return q.sum()
      }
    }
    if let failure { throw failure }
    return slope
  }
}
