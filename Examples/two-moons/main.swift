// Fits a flow to two interleaved half circles and draws its density with samples.
//
//     swift run -c release two-moons [--epochs 60] [--seed 0] [--output two-moons.svg]
import ExampleSupport
import Flows

let program = Program(
  "two-moons", "Fits a flow to two half circles and draws its density.", options: [.epochs(60)],
  output: "two-moons.svg")
let (key, epochs) = (program.key, program.integer("epochs"))

/// Draws points on two half circles of radius 1 and adds normal noise.
func twoMoons(_ key: Key, count: Int, noise: Double = 0.07) -> Tensor {
  let angle = Double.pi * key.folded(in: 0).uniform([count])
  let isUpper = key.folded(in: 1).uniform([count]) .< 0.5
  let x = select(where: isUpper, cos(angle), 1 - cos(angle))
  let y = select(where: isUpper, sin(angle), 0.5 - sin(angle))
  return stack([x, y], axis: 1) + noise * key.folded(in: 2).normal([count, 2])
}

let flow = Flow.neuralSpline(layers: 6, hidden: [64, 64], bins: 12, bound: 4)
let count = 6_000
let steps = epochs * (count * 9 / 10 / 256 + 1)
let fitted = try fit(
  flow, to: twoMoons(key.folded(in: 0), count: count), key: key.folded(in: 1), epochs: epochs,
  optimizer: MovingAverage(
    Chain(ClipByGlobalNorm(5), Adam(learningRate: .cosine(3e-3, steps: steps))), decay: 0.99),
  patience: nil, onEpoch: printing(every: 10, of: epochs, digits: 3))

let grid = DensityPlot.Grid(x: -1.6...2.6, y: -1.1...1.6)
let density = exp(try fitted.logPDF(fitted.params, grid.points()))
let draws = try fitted.sample(key.folded(in: 2), fitted.params, count: 600)
let mass = density.sum().item * 4.2 * 2.7 / Double(grid.rows * grid.columns)
print("mass of the density in the picture: \(decimals(mass, 3))")
try program.write(
  DensityPlot(
    "Two moons: a neural spline flow's density and 600 of its draws", density: density, on: grid,
    samples: draws))
