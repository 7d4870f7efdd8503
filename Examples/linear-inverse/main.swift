// A linear inverse problem with a curved prior, y = A x + noise: two ways to the posterior of x given y, by
// HINT flows, against importance sampling.
//
// Amortised: one conditional flow is fitted to pairs (x, y) and serves every y. Not amortised: a flow is
// fitted to one y by the reverse Kullback-Leibler divergence, from the prior's and the noise's log-density
// alone.
//
//     swift run -c release linear-inverse [--epochs 40] [--steps 1500] [--seed 0] [--output FILE.svg]
import Arguments
import ExampleSupport
import Flows

let program = Program(
  "linear-inverse", "Finds the posterior of a linear inverse problem in two ways.",
  options: [.epochs(40), .init("steps", "N", default: "1500", "steps for one measurement")],
  output: "linear-inverse.svg")
let (key, epochs, steps) = (program.key, program.integer("epochs"), program.integer("steps"))

/// Draws from the prior, a banana: x₁ ~ N(0, 1), x₂ = x₁² / 2 − 1 + N(0, 0.3²).
@Sendable func prior(_ key: Key, _ count: Int) -> Tensor {
  let z = key.normal([count, 2])
  let first = z.sliced(axis: 1, 0..<1)
  return concatenate([first, 0.5 * square(first) - 1 + 0.3 * z.sliced(axis: 1, 1..<2)], axis: 1)
}
@Sendable func logPrior(_ x: Tensor) -> Tensor {
  let (a, b) = (x.sliced(axis: 1, 0..<1), x.sliced(axis: 1, 1..<2))
  return (-0.5 * square(a) - 0.5 * square((b - 0.5 * square(a) + 1) / 0.3)).sumPerRow()
}
/// Draws a measurement y = 0.3 x₁ + x₂ + N(0, 0.4²), for which most posteriors have two modes.
let operation = Tensor([[0.3, 1]])
let noise = 0.4
@Sendable func measured(_ key: Key, _ x: Tensor) -> Tensor {
  matmul(x, operation, transposeB: true) + noise * key.normal([x.rows, 1])
}

let x = prior(key.folded(in: 0), 8_000)
let y = measured(key.folded(in: 1), x)
let amortised = try fit(
  Flow.hint(layers: 8, hidden: [64, 64]), to: x, given: y, key: key.folded(in: 2), epochs: epochs,
  batchSize: 256,
  optimizer: Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(2e-3, steps: epochs * 29))),
  patience: nil,
  onEpoch: { state in
    let epoch = state.latest
    if epoch.index % 10 == 9 {
      print(
        "amortised, epoch \(epoch.index + 1): validation \(decimals(epoch.validationLoss ?? .nan, 3)) nats")
    }
    return .proceed
  })

// This is the measurement y.
let observed = Tensor([[-0.4]])

// Importance sampling weights draws from the prior by the density of the noise.
let many = prior(key.folded(in: 3), 200_000)
let logWeights = -0.5 * square((observed - matmul(many, operation, transposeB: true)) / noise).sumPerRow()
let weights = exp(logWeights - logWeights.max(axis: 0))
let normalized = weights / weights.sum()

// The reverse divergence is the mean over z of −log p(x) − log p(y | x) − log|det ∂x/∂z| with x = f⁻¹(z).
let single = Flow.hint(layers: 8, hidden: [64, 64])
let (initial, _, sample) = try single(key.folded(in: 4), inputDim: 2)
let optimizer = Chain(
  ClipByGlobalNorm(10), Adam(learningRate: .cosine(3e-3, steps: steps)))
var (params, state) = (initial, optimizer.initialize(initial))
for step in 0..<steps {
  let stepKey = key.folded(in: 5).folded(in: step)
  let (loss, gradient) = try valueAndGradient(at: params) { params in
    let (x, logPDF) = try sample.withLogPDF(stepKey, params, count: 256)
    let misfit = (observed - matmul(x, operation, transposeB: true)) / noise
    return (logPDF - logPrior(x) + 0.5 * square(misfit).sumPerRow()).mean()
  }
  (params, state) = try optimizer.update(gradient, state, params)
  if (step + 1) % 500 == 0 {
    print("not amortised, step \(step + 1): divergence up to a constant \(decimals(loss.item, 3))")
  }
}

let count = 4_000
let draws = try amortised.sample(key.folded(in: 6), amortised.params, count: count, given: observed)
let others = try sample(key.folded(in: 7), params, count: count)
func line(_ name: String, _ m: (mean: [Double], deviation: [Double])) -> String {
  "\(name): mean (\(decimals(m.mean[0], 3)), \(decimals(m.mean[1], 3))), "
    + "deviation (\(decimals(m.deviation[0], 3)), \(decimals(m.deviation[1], 3)))"
}
print("posterior given y = \(observed.item):")
let (reference, conditional, own) = (moments(many, weights: normalized), moments(draws), moments(others))
print(line("  importance sampling", reference))
print(line("  amortised conditional HINT", conditional))
print(line("  HINT for this y alone", own))

/// Resamples rows in proportion to their weights, at equal steps through the running sum.
func resampled(_ x: Tensor, _ weights: Tensor, count: Int) -> Tensor {
  var (sum, next, rows) = (0.0, 0.5 / Double(count), [Int]())
  for (i, weight) in weights.doubles.enumerated() {
    sum += weight
    while next < sum && rows.count < count {
      rows.append(i)
      next += 1 / Double(count)
    }
  }
  return x.rows(rows)
}

program.write(
  ScatterPlot(
    "Posterior of a banana given one linear measurement",
    series: [
      .init("prior", many[0..<600]), .init("importance sampling", resampled(many, normalized, count: 600)),
      .init("amortised", draws[0..<600]), .init("for this y alone", others[0..<600]),
    ], xLabel: "x1", yLabel: "x2"))
try program.finish([
  "importance_sampling_mean": reference.mean, "amortised_mean": conditional.mean, "single_mean": own.mean,
  "importance_sampling_deviation": reference.deviation, "amortised_deviation": conditional.deviation,
  "single_deviation": own.deviation,
])
