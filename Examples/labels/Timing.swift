import ExampleSupport
import Flows

/// Times pairs of 1,000 rows, and writes rows, latents and draws for `Benchmarks/peers/labels.py`.
func timePairs(columns: Int, _ settings: Settings, _ program: Program) throws -> [String: Double] {
  let key = program.key
  // Three clusters, standardized.
  let centres = 2 * key.folded(in: 0).normal([3, columns])
  let picks = key.folded(in: 1).indices(1_000, of: 3)
  let raw = centres.rows(picks) + 0.5 * key.folded(in: 2).normal([1_000, columns])
  let rows = (raw - raw.mean(axis: 0)) / deviation(raw)
  let score = TrainingFreeScore(of: rows, kappa: settings.kappa > 0 ? settings.kappa : 0.99)
  let clock = ContinuousClock()
  var (least, pairs) = (Double.infinity, try LatentPairs(latents: rows, rows: rows))
  for _ in 0..<5 {
    let start = clock.now
    pairs = try score.pairs(key.folded(in: 3), count: settings.pairs, steps: settings.integration)
    least = min(least, (clock.now - start) / .seconds(1))
  }
  print("\(settings.pairs) pairs of \(columns) columns: \(decimals(least, 4)) s")
  let prefix = program.text("output")
  for (name, values) in [("rows", rows), ("latents", pairs.latents), ("draws", pairs.rows)] {
    program.write(to: "\(prefix)-\(name).npy") { try NPY.write(values, to: $0) }
  }
  return ["seconds": least, "kappa": score.kappa]
}
