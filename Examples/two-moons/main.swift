// Fits a flow to two interleaved half circles and draws its density with samples.
//
//     swift run -c release two-moons [--epochs 20] [--seed 0] [--output two-moons.svg]
import ExampleSupport
import Flows

let program = Program(
  "two-moons", "Fits a flow to two half circles and draws its density.", options: [.epochs(20)],
  output: "two-moons.svg")
let (key, epochs) = (program.key, program.integer("epochs"))

/// Points on two half circles of radius 1, with normal noise.
enum TwoMoons {
  static let noise = 0.07

  /// Draws points.
  static func draw(_ key: Key, count: Int) -> Tensor {
    let angle = Double.pi * key.folded(in: 0).uniform([count])
    let isUpper = key.folded(in: 1).uniform([count]) .< 0.5
    let x = select(where: isUpper, cos(angle), 1 - cos(angle))
    let y = select(where: isUpper, sin(angle), 0.5 - sin(angle))
    return stack([x, y], axis: 1) + noise * key.folded(in: 2).normal([count, 2])
  }

  /// The log-density of points, a mean over 200 angles of each half circle.
  static func logPDF(_ points: Tensor) -> Tensor {
    let angle = Double.pi * Tensor((0..<200).map { (Double($0) + 0.5) / 200 })
    let dx = points.sliced(axis: 1, 0..<1) - concatenate([cos(angle), 1 - cos(angle)], axis: 0)
    let dy = points.sliced(axis: 1, 1..<2) - concatenate([sin(angle), 0.5 - sin(angle)], axis: 0)
    let variance = noise * noise
    return (-(square(dx) + square(dy)) / (2 * variance)).logSumExp(axis: 1)
      - log(Tensor(400 * 2 * Double.pi * variance))
  }
}

let fitted = try fit(
  Flow.splineMixture(hidden: [64, 64], components: 24), to: TwoMoons.draw(key.folded(in: 0), count: 40_000),
  key: key.folded(in: 1), epochs: epochs, onEpoch: printing(every: 5, of: epochs, digits: 3))

let test = TwoMoons.draw(key.folded(in: 3), count: 20_000)
let loss = -(try fitted.logPDF(fitted.params, test)).mean().item
let trueLoss = -TwoMoons.logPDF(test).mean().item
print(
  "negative log-likelihood of \(test.rows) new points: \(decimals(loss, 3)) nats; "
    + "by the true density \(decimals(trueLoss, 3))")

let grid = DensityPlot.Grid(x: -1.6...2.6, y: -1.1...1.6)
let density = exp(try fitted.logPDF(fitted.params, grid.points()))
let draws = try fitted.sample(key.folded(in: 2), fitted.params, count: 300)
let mass = density.sum().item * 4.2 * 2.7 / Double(grid.rows * grid.columns)
print("mass of the density in the picture: \(decimals(mass, 3))")
program.write(
  DensityPlot(
    "Two moons: a flow's density and \(draws.rows) of its draws", density: density, on: grid,
    samples: draws))
try program.finish(["test_nats": loss, "true_nats": trueLoss, "mass_in_picture": mass])
