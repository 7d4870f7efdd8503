// Fits a spline flow to the posterior of a logistic regression on real data and compares it with long
// Hamiltonian Monte Carlo chains.
//
//     swift run -c release posterior [--iterations 2000] [--features 10] [--rounds 1000] [--output NAME]
//
// Writes PREFIX-marginals.svg with the densities of two weights by the flow and by the chains, and
// PREFIX-elbo.svg.
import Arguments
import ExampleSupport
import Flows

let program = Program(
  "posterior", "Fits a flow to a regression's posterior and compares it with Hamiltonian Monte Carlo.",
  options: [
    .init("iterations", "N", default: "2000", "steps of the fit"),
    .init("features", "N", default: "10", "measurements of the regression"),
    .init("rounds", "N", default: "1000", "rounds of each Monte Carlo chain"),
    .init("output", "PREFIX", default: "posterior", "the beginning of the pictures' file names"),
  ])
let iterations = program.integer("iterations", in: 1...10_000_000)
let rounds = program.integer("rounds", in: 4...1_000_000)
let (key, prefix) = (program.key, program.text("output"))

let regression = try Regression(features: program.integer("features", in: 1...30), priorDeviation: 2)
let target = regression.target
let size = target.inputDim.count

// The flow has spline couplings and a full linear map, which models the correlations.
let layers = (0..<3).flatMap { _ -> [any Bijection] in
  let net = MLP(hidden: [48, 48], activation: .leakyReLU())
  let spline = RationalQuadraticSpline(bins: 8, bound: 6)
  return [Coupling(net, spline), Coupling(net, spline, split: .firstHalf.swapped)]
}
let flow = Flow(Inverted(Serial(layers + [TriangularAffine(.lower)])))
let fitted = try fit(
  flow, to: target, by: .reverseKL(draws: 128), key: key.folded(in: 0),
  iterations: iterations,
  optimizer: Chain(ClipByGlobalNorm(20), Adam(learningRate: .cosine(1e-2, steps: iterations))))
let weights = try ImportanceWeights(
  fitted.sample, fitted.params, of: target, key: key.folded(in: 1), draws: 20_000)
print("ELBO \(decimals(weights.elbo, 4)) ± \(decimals(weights.elboError, 4)) nats")
print(
  "log-evidence \(decimals(weights.logEvidence, 4)) ± \(decimals(weights.logEvidenceError, 4)), "
    + "effective sample size \(decimals(weights.effectiveSampleSize, 0)) of 20000, k-hat "
    + "\(decimals(weights.paretoK, 2))"
)

// The chains start at draws of a wide normal distribution and know nothing of the flow. A first run finds the
// scales.
let chains = 64
let start = 0.5 * key.folded(in: 2).normal([chains, size], dtype: .float64)
var pilot = HamiltonianChains(target, from: start, step: 0.05, leaps: 20)
let scales = try pilot.run(key.folded(in: 3), rounds: 200)
var sampler = HamiltonianChains(
  target, from: pilot.positions, factor: covarianceFactor(of: scales[100 * chains..<200 * chains]),
  step: 0.35, leaps: 5)
_ = try sampler.run(key.folded(in: 5), rounds: rounds / 4)
let reference = try sampler.run(key.folded(in: 6), rounds: rounds)
print(
  "Hamiltonian Monte Carlo: \(chains) chains, \(rounds) rounds kept, acceptance "
    + "\(decimals(sampler.acceptance, 2))"
)

let draws = try fitted.sample(key.folded(in: 4), fitted.params, count: 20_000).cast(to: .float64)
let (ours, theirs) = (moments(draws), moments(reference))
// The standard error of the chains comes from the spread of their means.
let perChain = reference.reshaped(to: [rounds, chains, size]).mean(axis: 0)
let spread = moments(perChain).deviation.map { $0 / Double(chains).squareRoot() }
print(
  column("weight", 24) + column("flow mean", 12) + column("HMC mean", 12) + column("± error", 12)
    + column("flow sd", 12) + "HMC sd")
for i in 0..<size {
  let numbers = [ours.mean[i], theirs.mean[i], spread[i], ours.deviation[i], theirs.deviation[i]]
  print(column(regression.names[i], 24) + numbers.map { column(decimals($0, 3), 12) }.joined())
}
let worstMean = (0..<size).map { abs(ours.mean[$0] - theirs.mean[$0]) / theirs.deviation[$0] }.max() ?? 0
let worstDeviation = (0..<size).map { abs(ours.deviation[$0] / theirs.deviation[$0] - 1) }.max() ?? 0
print(
  "largest difference: means \(decimals(worstMean, 3)) deviations, deviations "
    + "\(decimals(100 * worstDeviation, 1)) %"
)

try draw()
try program.finish([
  "elbo": weights.elbo, "log_evidence": weights.logEvidence, "pareto_k": weights.paretoK,
  "largest_difference_of_means": worstMean, "largest_difference_of_deviations": worstDeviation,
])

/// Draws the marginal densities of two weights and the ELBO against the iteration.
func draw() throws {
  let pair = [min(6, size - 1), min(8, size - 1)]
  let marginals = pair.flatMap { i in
    [("flow", draws), ("HMC", reference)].map { name, rows in
      let (x, density) = histogram(rows.sliced(axis: 1, i..<i + 1).doubles)
      return LineChart.Series("\(regression.names[i]), \(name)", density, x: x)
    }
  }
  program.write(
    LineChart(
      "Posterior of two weights", series: marginals, xLabel: "weight of the standardized measurement",
      yLabel: "density"), to: "\(prefix)-marginals.svg")
  let settled = fitted.history.filter { $0.index >= 20 }
  let steps = settled.map { Double($0.index) }
  program.write(
    LineChart(
      "ELBO of the regression's posterior",
      series: [
        .init("ELBO", settled.map { -$0.trainingLoss }, x: steps),
        .init("log-evidence", settled.map { _ in weights.logEvidence }, x: steps),
      ], xLabel: "iteration", yLabel: "nats"), to: "\(prefix)-elbo.svg")
}
