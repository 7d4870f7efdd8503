import ExampleSupport
import Flows

/// A table of log-normalizer − ELBO for every target and every family of flows.
struct GapTable {
  let key: Key
  let iterations: Int
  let families: [Family]

  static func targets() throws -> [Target] {
    let clusters = GaussianMixture(
      means: [[-3, 0], [2, 2], [0, -4]],
      covariances: [[[1, 0.3], [0.3, 0.5]], [[0.25, 0], [0, 0.25]], [[2, -0.9], [-0.9, 1]]],
      weights: [0.8, 0.15, 0.05])
    return [
      try Target(Banana(curvature: 0.1, variance: 100), inputDim: 2, name: "banana"),
      try Target(Funnel(), inputDim: 2, name: "funnel"), try Target(Cross(), inputDim: 2, name: "cross"),
      try Target(WarpedGaussian(), inputDim: 2, name: "warped"),
      try Target(clusters, inputDim: 2, name: "mixture"),
    ]
  }

  /// Prints one row per family as soon as it is computed. Returns the gaps; a fit that diverged has none.
  func print() throws -> [String: [String: Double]] {
    var gaps: [String: [String: Double]] = [:]
    let targets = try GapTable.targets()
    Swift.print("log-normalizer - ELBO in nats (k-hat), 20000 draws; \(iterations) iterations of 256 draws")
    Swift.print((["family"] + targets.map(\.name)).map { column($0, 16) }.joined())
    for family in families {
      let row = Family.allCases.firstIndex(of: family) ?? 0
      let cells = try targets.enumerated().map { column, target in
        let found = try gap(family, target, key.folded(in: row).folded(in: column))
        gaps[family.rawValue, default: [:]][target.name] = found?.gap
        let text = found.map { "\(decimals($0.gap, 4)) (\(decimals($0.paretoK, 2)))" } ?? "diverged"
        return ExampleSupport.column(text, 16)
      }
      Swift.print(column(family.rawValue, 16) + cells.joined())
    }
    return gaps
  }

  private func gap(_ family: Family, _ target: Target, _ key: Key) throws -> (gap: Double, paretoK: Double)? {
    do {
      let fitted = try family.fitted(to: target, key.folded(in: 0), iterations: iterations, progress: .silent)
      let weights = try ImportanceWeights(
        fitted.sample, fitted.params, of: family.extended(target), key: key.folded(in: 1), draws: 20_000)
      return ((target.logNormalizer ?? .nan) - weights.elbo, weights.paretoK)
    } catch FlowError.diverged { return nil }
  }
}
