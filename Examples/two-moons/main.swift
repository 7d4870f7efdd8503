// Fits a flow to two interleaved half circles and draws its density with samples.
//
//     swift run -c release two-moons [--epochs 60] [--seed 0] [--output two-moons.svg]
import Arguments
import Flows

let options = Arguments.orExit(
  "two-moons", "Fits a flow to two half circles and draws its density.",
  options: [
    .init("epochs", "N", default: "60", "passes over the data"),
    .init("seed", "N", default: "0", "what everything random is drawn from"),
    .init("output", "FILE", default: "two-moons.svg", "where the picture goes"),
  ])
let (epochs, seed) = Arguments.orExit { () throws(UsageError) in
  (try options.integer("epochs", in: 1...1_000_000), try options.integer("seed", in: Int.min...Int.max))
}
let key = Key(seed)
print("seed \(seed)")

/// Points on two half circles of radius 1 with normal noise.
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
  patience: nil,
  onEpoch: { state in
    let epoch = state.latest
    if epoch.index % 10 == 9 || epoch.index == epochs - 1 {
      print(
        "epoch \(epoch.index + 1): \(rounded(epoch.trainingLoss)) nats, "
          + "validation \(rounded(epoch.validationLoss ?? .nan))")
    }
    return .proceed
  })

let grid = DensityPlot.Grid(x: -1.6...2.6, y: -1.1...1.6)
let density = exp(try fitted.logPDF(fitted.params, grid.points()))
let draws = try fitted.sample(key.folded(in: 2), fitted.params, count: 600)
let path = options.text("output")
try DensityPlot(
  "Two moons: a neural spline flow's density and 600 of its draws", density: density, on: grid, samples: draws
)
.write(to: path)
let mass = density.sum().item * 4.2 * 2.7 / Double(grid.rows * grid.columns)
print("mass of the density in the picture: \(rounded(mass))")
print("wrote \(path)")

/// Three decimals.
func rounded(_ x: Double) -> Double { (x * 1000).rounded() / 1000 }
