// Fits neural spline flows to four distributions in the plane and draws the density of each.
//
//     swift run -c release neural-spline [--target all] [--epochs 60] [--seed 0] [--folder .]
//
// Such targets are in figure 1 of Durkan et al. 2019, *Neural spline flows*, arXiv 1906.04032.
import Arguments
import ExampleSupport
import Flows

let names = Target.allCases.map(\.rawValue)
let program = Program(
  "neural-spline", "Fits neural spline flows to distributions in the plane and draws their densities.",
  options: [
    .init("target", "NAME", default: "all", "all, or one of " + names.joined(separator: ", ")), .epochs(60),
    .init("folder", "PATH", default: ".", "the folder of the pictures"),
  ])
let (key, epochs) = (program.key, program.integer("epochs"))
let targets = Target(rawValue: program.choice("target", of: ["all"] + names)).map { [$0] } ?? Target.allCases

var results: [String: Double] = [:]
for (i, target) in targets.enumerated() {
  let keys = (0..<4).map { key.folded(in: i).folded(in: $0) }
  // The flow is autoregressive, so that x₂ given x₁ has a spline of its own. All data lie within the bound.
  let flow = Flow.autoregressiveNeuralSpline(layers: 4, hidden: [64, 64], bins: 12, bound: 4)
  let batches = 10_000 * 9 / 10 / 256 + 1
  let fitted = try fit(
    flow, to: target.sample(keys[0], count: 10_000), key: keys[2], epochs: epochs,
    optimizer: MovingAverage(
      Chain(ClipByGlobalNorm(5), Adam(learningRate: .cosine(3e-3, steps: epochs * batches))), decay: 0.99),
    patience: nil)
  let test = target.sample(keys[1], count: 5_000)
  let loss = -(try fitted.logPDF(fitted.params, test)).mean().item
  results[target.rawValue] = loss

  let side = target.extent
  let grid = DensityPlot.Grid(x: -side...side, y: -side...side)
  let density = exp(try fitted.logPDF(fitted.params, grid.points()))
  let mass = density.sum().item * (2 * side) * (2 * side) / Double(grid.rows * grid.columns)
  let draws = try fitted.sample(keys[3], fitted.params, count: 400)
  print(
    "\(target.rawValue): \(decimals(loss, 3)) nats on 5,000 new points, mass in the picture "
      + "\(decimals(mass, 3))"
  )
  program.write(
    DensityPlot(
      "\(target.rawValue): a neural spline flow's density and 400 of its draws", density: density, on: grid,
      samples: draws), to: "\(program.text("folder"))/neural-spline-\(target.rawValue).svg")
}
try program.finish(["test_nats": results])
