// Fits a neural spline flow to a banana known up to a constant, recovers the constant and draws both; or, with --table 1, fits
// every family of flows to every target and prints how far each ELBO stays below the known log-normalizer.
//
//     swift run -c release banana [--iterations 4000] [--seed 0] [--output banana.svg] [--table 0]
import Flows
import Foundation

let options = try Options(
  CommandLine.arguments,
  known: ["iterations": "4000", "seed": "0", "output": "banana.svg", "table": "0"])
let key = Key(try options.integer("seed"))
let iterations = max(1, try options.integer("iterations"))
print("seed \(try options.integer("seed"))")

if try options.integer("table") != 0 {
  try GapTable(key: key, iterations: iterations).print()
} else {
  try recoverTheConstant()
}

func recoverTheConstant() throws {
  let banana = try Target(Banana(curvature: 0.1, variance: 100), inputDim: 2)
  let constant = 4.5
  let target = Target("banana", inputDim: 2, logNormalizer: constant) { (x) throws(FlowError) in
    try banana.logDensity(x) + constant
  }
  let fitted = try fit(
    Family.neuralSpline.flow(target), to: target, by: Family.objective, key: key.folded(in: 0),
    iterations: iterations,
    optimizer: Family.optimizer(iterations))
  let weights = try ImportanceWeights(
    fitted.sample, fitted.params, of: target, key: key.folded(in: 1), draws: 20_000)
  print("log-normalizer: \(constant)")
  print("ELBO: \(rounded(weights.elbo, 5)) ± \(rounded(weights.elboError, 5))")
  print("log-evidence by importance sampling: \(rounded(weights.logEvidence, 5))")
  print(
    "effective sample size: \(rounded(weights.effectiveSampleSize, 0)) of 20000, k-hat \(rounded(weights.paretoK, 3))"
  )

  let grid = DensityPlot.Grid(x: -30...30, y: -50...15, columns: 240)
  let density = exp(try fitted.logPDF(fitted.params, grid.points()))
  let draws = try banana.draw?(key.folded(in: 2), 400, .float32)
  let path = try options.text("output")
  try DensityPlot(
    "A spline flow's density and 400 draws from the banana", density: density, on: grid, samples: draws
  )
  .write(to: path)
  print("wrote \(path)")
}

/// A number with a fixed count of decimals.
func rounded(_ x: Double, _ count: Int) -> String { String(format: "%.\(count)f", x) }
