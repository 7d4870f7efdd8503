import ExampleSupport
import Flows

/// Private fits at several ε, each with several sources of noise, beside noised marginals.
///
/// δ, the rate, the batch and the steps are declared for tables of about 10,000 rows.
enum PrivateCurve {
  private static let (delta, rate, batch, steps) = (1e-5, 0.05, 500.0, 600)

  static let header =
    column("epsilon", 9) + column("rows of", 20) + column("shapes", 16) + column("pairs", 16)
    + column("AUC", 16) + "held-out log-likelihood"

  /// Prints the table as it is computed. Returns the means over the runs, by ε and source of rows.
  static func printTable(_ name: String, _ split: Split, repeats: Int, _ key: Key) throws -> [String: Any] {
    var results: [String: Any] = [:]
    let schema = PublicSchema.of(name)
    let rows = try schema.encode(split.training, clamping: true)
    let heldOut = try schema.encode(split.heldOut, clamping: true)
    print(header)
    for epsilon in [1.0, 3, 8] {
      let plan = try TableModel.plan(
        schema, epsilon: epsilon, delta: delta, rate: rate, batch: batch, steps: steps)
      var (flows, marginals): ([Judgement], [Judgement]) = ([], [])
      var logLikelihoods: [Double] = []
      for run in 0..<repeats {
        let own = key.folded(in: run)
        let model = try TableModel.fit(
          schema, to: rows, privately: plan, key: own,
          optimizer: MovingAverage(Adam(learningRate: .cosine(0.01, steps: steps)), decay: 0.99)
        ).model
        logLikelihoods.append(try model.logLikelihood(of: heldOut).mean().item)
        let draws = try model.sample(own.folded(in: 0), count: split.training.rows).text()
        flows.append(try Judgement(TextTable.parse(draws), of: split, key))
        let noised = try NoisedMarginals(
          split.training, schema, epsilon: epsilon, delta: delta, noise: .secret())
        let text = noised.text(own.folded(in: 1), count: split.training.rows)
        marginals.append(try Judgement(TextTable.parse(text), of: split, key))
      }
      let likelihood = "\(schema.isBound ? "at least " : "")\(spread(logLikelihoods, 2))"
      print(line(epsilon, "private flow", flows) + likelihood)
      print(line(epsilon, "noised marginals", marginals))
      results["epsilon \(decimals(epsilon, 0))"] = [
        "private flow": means(flows), "noised marginals": means(marginals),
      ]
    }
    return results
  }

  private static func means(_ all: [Judgement]) -> [String: Double] {
    let sums = all.reduce(into: [:]) { sums, next in sums.merge(next.numbers, uniquingKeysWith: +) }
    return sums.mapValues { $0 / Double(all.count) }
  }

  private static func line(_ epsilon: Double, _ name: String, _ all: [Judgement]) -> String {
    column(decimals(epsilon, 0), 9) + column(name, 20)
      + column(spread(all.map(\.quality.columnShapes), 3), 16)
      + column(spread(all.map(\.quality.allPairTrends), 3), 16)
      + column(spread(all.map(\.classifiers.network), 3), 16)
  }

  /// The mean, and the standard deviation over the runs.
  private static func spread(_ x: [Double], _ digits: Int) -> String {
    let mean = x.reduce(0, +) / Double(x.count)
    let squares = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(max(x.count - 1, 1))).squareRoot()
    return "\(decimals(mean, digits)) ± \(decimals(deviation, digits))"
  }
}
