// Fits neural spline flows to four distributions in the plane and draws the density of each.
//
//     swift run -c release neural-spline [--target all] [--epochs 60] [--seed 0] [--folder .]
//
// Durkan et al. 2019, *Neural spline flows*, arXiv 1906.04032, has such targets in figure 1.
import Arguments
import Flows
import Foundation

let options = Arguments.orExit(
  "neural-spline", "Fits neural spline flows to distributions in the plane and draws their densities.",
  options: [
    .init(
      "target", "NAME", default: "all",
      "all, or one of " + Target.allCases.map(\.rawValue).joined(separator: ", ")),
    .init("epochs", "N", default: "60", "passes over the data"),
    .init("seed", "N", default: "0", "what everything random is drawn from"),
    .init("folder", "PATH", default: ".", "where the pictures go"),
  ])
let (name, epochs, seed) = Arguments.orExit { () throws(UsageError) in
  (
    try options.choice("target", of: ["all"] + Target.allCases.map(\.rawValue)),
    try options.integer("epochs", in: 1...1_000_000), try options.integer("seed", in: Int.min...Int.max)
  )
}
let targets = Target(rawValue: name).map { [$0] } ?? Target.allCases
let key = Key(seed)
print("seed \(seed)")

for (i, target) in targets.enumerated() {
  let (dataKey, testKey, fitKey, drawKey) = (
    key.folded(in: i).folded(in: 0), key.folded(in: i).folded(in: 1), key.folded(in: i).folded(in: 2),
    key.folded(in: i).folded(in: 3)
  )
  // Autoregressive: what is left of x₂ given x₁ is a spline of its own. The bound holds the data.
  let flow = Flow.autoregressiveNeuralSpline(layers: 4, hidden: [64, 64], bins: 12, bound: 4)
  let batches = 10_000 * 9 / 10 / 256 + 1
  let fitted = try fit(
    flow, to: target.sample(dataKey, count: 10_000), key: fitKey, epochs: epochs,
    optimizer: MovingAverage(
      Chain(ClipByGlobalNorm(5), Adam(learningRate: .cosine(3e-3, steps: epochs * batches))), decay: 0.99),
    patience: nil)
  let test = target.sample(testKey, count: 5_000)
  let loss = -(try fitted.logPDF(fitted.params, test)).mean().item

  let side = target.extent
  let grid = DensityPlot.Grid(x: -side...side, y: -side...side)
  let density = exp(try fitted.logPDF(fitted.params, grid.points()))
  let mass = density.sum().item * (2 * side) * (2 * side) / Double(grid.rows * grid.columns)
  let draws = try fitted.sample(drawKey, fitted.params, count: 400)
  let path = "\(options.text("folder"))/neural-spline-\(target.rawValue).svg"
  try DensityPlot(
    "\(target.rawValue): a neural spline flow's density and 400 of its draws", density: density, on: grid,
    samples: draws
  ).write(to: path)
  print(
    "\(target.rawValue): \(String(format: "%.3f", loss)) nats on 5,000 new points, "
      + "mass in the picture \(String(format: "%.3f", mass)), wrote \(path)")
}
