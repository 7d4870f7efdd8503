// Fits RealNVP, MAF and a neural spline flow to small tables of measurements and compares them on held-out rows.
//
//     swift run -c release tabular [--splits 3] [--epochs 200] [--seed 0]
import Flows
import Foundation

let options = try Options(CommandLine.arguments, known: ["splits": "3", "epochs": "200", "seed": "0"])
let key = Key(try options.integer("seed"))
let epochs = max(1, try options.integer("epochs"))
let splits = max(1, try options.integer("splits"))
print("seed \(try options.integer("seed"))")

/// A learned full covariance is what a flow has to beat.
let models: [(name: String, distribution: any Distribution)] = [
  ("Gaussian", Flow(Serial(), prior: MultivariateNormal())),
  ("RealNVP", Flow.realNVP(layers: 6, hidden: [32])),
  ("MAF", Flow.maf(layers: 4, hidden: [64])),
  ("NSF", Flow.autoregressiveNeuralSpline(layers: 2, hidden: [64], bins: 6, bound: 4)),
]

/// The mean negative log-likelihood of held-out rows. A part of the training rows says when to stop.
func score(_ distribution: any Distribution, on table: Table, _ key: Key) throws -> (
  loss: Double, parameters: Int
) {
  func run(_ distribution: some Distribution) throws -> Fitted {
    try fit(
      distribution, to: table.training, key: key, epochs: epochs, batchSize: 64,
      optimizer: MovingAverage(
        Chain(
          ClipByGlobalNorm(10), AdamW(learningRate: 2e-3, weightDecay: 0.1), ReduceOnPlateau(factor: 0.3)),
        decay: 0.95),
      validationFraction: 0.15, patience: 30,
      // A little noise: 400 rows are few for a density in 30 dimensions.
      augment: { key, rows in rows + 0.05 * key.normal(rows.shape) }, progress: .silent)
  }
  let fitted = try run(distribution)
  return (-(try fitted.logPDF(fitted.params, table.test)).mean().item, fitted.params.learnedCount)
}

func padded(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

print(
  "held-out negative log-likelihood in nats, standardized measurements; mean and range of \(splits) splits")
print("table          rows  numbers  model     parameters    nats            range")
for (i, name) in Table.names.enumerated() {
  for (j, model) in models.enumerated() {
    let results = try (0..<splits).map { split in
      let splitKey = key.folded(in: i).folded(in: split)
      let table = try Table(name, splitKey.folded(in: 0))
      return (table, try score(model.distribution, on: table, splitKey.folded(in: 1).folded(in: j)))
    }
    let losses = results.map(\.1.loss)
    let mean = losses.reduce(0, +) / Double(splits)
    let (table, (_, parameters)) = results[0]
    print(
      name.padding(toLength: 13, withPad: " ", startingAt: 0)
        + padded("\(table.training.rows + table.test.rows)", 6) + padded("\(table.test.shape[1])", 9) + "  "
        + model.name.padding(toLength: 8, withPad: " ", startingAt: 0) + padded("\(parameters)", 12)
        + padded(String(format: "%.2f", mean), 8)
        + padded(String(format: "%.2f to %.2f", losses.min()!, losses.max()!), 17))
  }
}
