import Flows

/// Maximum likelihood with dropout: each step leaves out a random share of the hidden units of all networks.
///
/// The rows of a step share the units left out. The others are divided by the share that is kept. Held-out
/// rows see all units.
struct Dropout: Objective {
  let rate: Double

  func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    let masks = masks(for: params.learned, step.key)
    let (value, gradient) = try MaximumLikelihood().valueAndGradient(
      at: params.zipLearned(with: masks) { $0 * $1 }, step)
    return (value, try gradient.zipLearned(with: masks) { $0 * $1 })
  }

  func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor {
    try MaximumLikelihood().value(step)
  }

  /// A factor for each parameter: 0 for those of units that are left out.
  private func masks(for learned: Params, _ key: Key) -> Params {
    let paths = learned.paths
    var place = 0
    return learned.map { leaf in
      defer { place += 1 }
      let parts = paths[place].split(separator: "/").map(String.init)
      guard parts.count > 1, let layer = Int(parts[parts.count - 2].dropFirst("dense_".count)),
        parts[parts.count - 2].hasPrefix("dense_")
      else { return .ones([1], dtype: leaf.dtype) }
      let network = parts.dropLast(2).joined(separator: "/")
      guard paths.contains("\(network)/dense_\(layer + 1)/weight") else {
        return .ones([1], dtype: leaf.dtype)
      }
      // Weights [in, out] and biases [out] of one layer have the same factors.
      let number = paths.firstIndex { $0.hasPrefix("\(network)/dense_\(layer)/") }!
      let kept = key.folded(in: number).bernoulli([leaf.shape[-1]], probability: 1 - rate, dtype: leaf.dtype)
      return kept / (1 - rate)
    }
  }
}
