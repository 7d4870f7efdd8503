// Fits a neural spline flow to a banana density known up to a constant, estimates the constant and draws
// both. With --table all it fits every family of flows to every target and prints the gaps of the ELBOs to
// the log-normalizers.
//
//     swift run -c release banana [--iterations 10000] [--seed 0] [--output banana.svg]
//     swift run -c release banana --table all|mean-field|planar|... [--iterations 10000] [--seed 0]
import Arguments
import ExampleSupport
import Flows

let families = Family.allCases.map(\.rawValue)
let program = Program(
  "banana", "Fits a flow to a banana known up to a constant, or many flows to many targets.",
  options: [
    .init("iterations", "N", default: "10000", "steps of a fit"),
    .init("table", "NAME", default: "none", "all, or one of \(families.joined(separator: ", "))"),
  ], output: "banana.svg")
let iterations = program.integer("iterations", in: 1...10_000_000)
let table = program.choice("table", of: ["none", "all"] + families)
let key = program.key
if table == "none" {
  try program.finish(recoverTheConstant())
} else {
  let gaps = try GapTable(
    key: key, iterations: iterations,
    families: Family.allCases.filter { table == "all" || $0.rawValue == table }
  ).print()
  try program.finish(["gaps": gaps])
}

func recoverTheConstant() throws -> [String: Double] {
  let banana = try Target(Banana(curvature: 0.1, variance: 100), inputDim: 2)
  let constant = 4.5
  let target = Target("banana", inputDim: 2, logNormalizer: constant) { (x) throws(FlowError) in
    try banana.logDensity(x) + constant
  }
  let fitted = try Family.neuralSpline.fitted(
    to: target, key.folded(in: 0), iterations: iterations, progress: .automatic)
  let weights = try ImportanceWeights(
    fitted.sample, fitted.params, of: target, key: key.folded(in: 1), draws: 20_000)
  print("log-normalizer: \(constant)")
  print("ELBO: \(decimals(weights.elbo, 5)) ± \(decimals(weights.elboError, 5))")
  print("log-evidence by importance sampling: \(decimals(weights.logEvidence, 5))")
  print(
    "effective sample size: \(decimals(weights.effectiveSampleSize, 0)) of 20000, k-hat "
      + "\(decimals(weights.paretoK, 3))"
  )

  let grid = DensityPlot.Grid(x: -30...30, y: -50...15, columns: 240)
  let density = exp(try fitted.logPDF(fitted.params, grid.points()))
  let draws = try banana.draw?(key.folded(in: 2), 400, .float32)
  program.write(
    DensityPlot(
      "A spline flow's density and 400 draws from the banana", density: density, on: grid, samples: draws))
  return [
    "log_normalizer": constant, "elbo": weights.elbo, "log_evidence": weights.logEvidence,
    "effective_sample_size": weights.effectiveSampleSize, "pareto_k": weights.paretoK,
  ]
}
