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

let flow = Flow(
  Serial(
    (0..<8).flatMap { _ -> [any Bijection] in
      [AffineCoupling(MLP(hidden: [64, 64])), Reverse()]
    } + [ActNorm()]))
let fitted = try fit(
  flow, to: twoMoons(key.folded(in: 0), count: 4_000), key: key.folded(in: 1), epochs: epochs,
  optimizer: Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(2e-3, steps: epochs * 15))),
  patience: nil,
  onEpoch: { epoch in
    if epoch.index % 10 == 9 || epoch.index == epochs - 1 {
      print(
        "epoch \(epoch.index + 1): \(epoch.trainingLoss) nats, validation \(epoch.validationLoss ?? .nan)")
    }
    return .proceed
  })

let grid = DensityPlot.Grid(x: -1.6...2.6, y: -1.1...1.6)
let density = exp(try fitted.logPDF(fitted.params, grid.points()))
let draws = try fitted.sample(key.folded(in: 2), fitted.params, count: 600)
let path = options.text("output")
try DensityPlot(
  "Two moons: a RealNVP's density and 600 of its draws", density: density, on: grid, samples: draws
)
.write(to: path)
print(
  "mass of the density in the picture: \(density.sum().item * 4.2 * 2.7 / Double(grid.rows * grid.columns))")
print("wrote \(path)")
