import Distributions
import Files
import Randomness
import Tensors
import Training

@testable import Tables

/// A kind a or b, a number x of another normal distribution for each, and a code z whose share depends on x.
struct Population {
  let n: Int
  let kind, x, z: [String]

  init(_ n: Int) {
    self.n = n
    let (u, noise) = (Key(0).folded(in: 0).uniform([n]).doubles, Key(0).folded(in: 1).normal([n]).doubles)
    let v = Key(0).folded(in: 2).uniform([n]).doubles
    let kind = u.map { $0 < 0.3 ? "a" : "b" }
    self.kind = kind
    let numbers = (0..<n).map { kind[$0] == "a" ? 2 * noise[$0] + 3 : noise[$0] }
    x = numbers.map { "\($0)" }
    z = (0..<n).map { v[$0] < (numbers[$0] > 1 ? 0.9 : 0.2) ? "yes" : "no" }
  }
}

/// A short fit of a small model.
func fitted(
  _ table: TextTable, steps: Int, options: TableSchema.Options = .init(), checkpoint: Checkpoint? = nil
) throws -> TableFit {
  let (schema, rows) = try TableSchema.infer(from: table, options: options)
  var settings = FitSettings(rows: rows.count)
  (settings.folds, settings.steps, settings.validationFraction, settings.learningRate) = (1, steps, 0.1, 0.01)
  return try TableModel.fit(
    schema, to: schema.encode(table, rows: rows),
    candidates: [Candidate("small", .orderedSplines(layers: 1, hidden: [16], bins: 4))], settings: settings,
    key: Key(1), checkpoint: checkpoint, progress: .silent)
}
