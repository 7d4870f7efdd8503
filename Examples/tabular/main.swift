// Fits RealNVP, MAF and a neural spline flow to small tables of measurements and compares them on held-out
// rows.
//
//     swift run -c release tabular [--splits 5] [--epochs 200] [--seed 0]
import Arguments
import ExampleSupport
import Flows
import Foundation

let program = Program(
  "tabular", "Compares three kinds of flow on small tables of measurements.",
  options: [.init("splits", "N", default: "5", "the number of random splits"), .epochs(200)])
let (key, splits, epochs) = (program.key, program.integer("splits", in: 1...1000), program.integer("epochs"))

// The tables have few rows and some outliers. The scales' small bounds limit the loss at an outlier.
let models: [(name: String, flow: Flow?)] = [
  ("Gaussian", nil),
  ("RealNVP", .realNVP(layers: 6, hidden: [32], scale: .bounded(0.5))),
  ("MAF", .maf(layers: 4, hidden: [64], scale: .bounded(0.5))),
  ("NSF", .autoregressiveNeuralSpline(layers: 2, hidden: [64], bins: 6, bound: 4)),
]
/// The standard deviation of noise that regularizes the densities: 400 rows are few in 30 dimensions.
let noise = 0.1

/// Fits a flow to rows, some of which serve for early stopping. Returns its log-density and number of
/// parameters.
func fitted(_ flow: Flow, to rows: Tensor, _ key: Key) throws -> (
  logPDF: (Tensor) throws -> Tensor, count: Int
) {
  let optimizer = Chain(
    ClipByGlobalNorm(10), AdamW(learningRate: 1e-3, weightDecay: 1), ReduceOnPlateau(factor: 0.3))
  let fitted = try fit(
    flow, to: rows, key: key, epochs: epochs, batchSize: 64,
    optimizer: MovingAverage(optimizer, decay: 0.95), validationFraction: 0.15, patience: 30,
    augment: { key, rows in rows + noise * key.normal(rows.shape) }, progress: .silent)
  return ({ try fitted.logPDF(fitted.params, $0) }, fitted.params.learnedCount)
}

func cell(_ x: Double) -> String { String(format: "%10.2f", x) }
func cell(_ x: Int) -> String { String(format: "%10d", x) }
func name(_ text: String) -> String { column(text, 15) }

print("held-out negative log-likelihood in nats per row, standardized measurements, \(splits) random splits:")
print("mean over rows and splits, the lowest and highest of the splits' means, and the median row")
print(
  name("table") + name("model") + "      rows   numbers    params      mean    lowest   highest    median")
var results: [String: [String: Double]] = [:]
for (i, table) in Table.names.enumerated() {
  for (j, model) in models.enumerated() {
    var (means, medians, shape, count): ([Double], [Double], Shape, Int) = ([], [], [0, 0], 0)
    for split in 0..<splits {
      let splitKey = key.folded(in: i).folded(in: split)
      let table = try Table(table, splitKey.folded(in: 0))
      let size = table.test.shape[1]
      let (logPDF, parameters) =
        try model.flow.map { try fitted($0, to: table.training, splitKey.folded(in: j + 1)) }
        ?? (gaussian(fittedTo: table.training, blur: noise), size + size * (size + 1) / 2)
      let losses = (-(try logPDF(table.test))).doubles.sorted()
      means.append(losses.reduce(0, +) / Double(losses.count))
      medians.append(losses[losses.count / 2])
      (shape, count) = ([table.training.rows + table.test.rows, size], parameters)
    }
    let (mean, median) = (means.reduce(0, +) / Double(splits), medians.reduce(0, +) / Double(splits))
    results[table, default: [:]][model.name] = mean
    print(
      name(table) + name(model.name) + cell(shape[0]) + cell(shape[1]) + cell(count) + cell(mean)
        + cell(means.min()!) + cell(means.max()!) + cell(median))
  }
}
try program.finish(["test_nats": results])
