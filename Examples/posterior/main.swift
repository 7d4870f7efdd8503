// Fits a spline flow to the posterior of a logistic regression on real data and compares it with long Hamiltonian Monte Carlo chains.
//
//     swift run -c release posterior [--iterations 2000] [--features 10] [--rounds 600] [--seed 0] [--output posterior]
//
// Writes PREFIX-marginals.svg (two weights: the flow's density and the chains' draws) and PREFIX-elbo.svg.
import Flows

let options = try Options(
  CommandLine.arguments,
  known: ["iterations": "2000", "features": "10", "rounds": "600", "seed": "0", "output": "posterior"])
let key = Key(try options.integer("seed"))
let iterations = max(1, try options.integer("iterations"))
let prefix = try options.text("output")
print("seed \(try options.integer("seed"))")

let regression = try Regression(features: try options.integer("features"), priorDeviation: 2)
let target = regression.target
let size = target.inputDim.count

// The flow: couplings by splines behind a full linear map, which takes the correlations.
let layers = (0..<3).flatMap { _ -> [any Bijection] in
  let net = MLP(hidden: [48, 48], activation: .leakyReLU())
  let spline = RationalQuadraticSpline(bins: 8, bound: 6)
  return [Coupling(net, spline), Coupling(net, spline, split: .firstHalf.swapped)]
}
let flow = Flow(Inverted(Serial(layers + [TriangularAffine(.lower)])))
let fitted = try fit(
  flow, to: target, by: ReverseKL(draws: 128, estimator: .doublyReparameterized), key: key.folded(in: 0),
  iterations: iterations,
  optimizer: Chain(ClipByGlobalNorm(20), Adam(learningRate: .cosine(1e-2, steps: iterations))))
let weights = try ImportanceWeights(
  fitted.sample, fitted.params, of: target, key: key.folded(in: 1), draws: 20_000)
print("ELBO \(decimals(weights.elbo, 4)) ± \(decimals(weights.elboError, 4)) nats")
print(
  "log-evidence \(decimals(weights.logEvidence, 4)) ± \(decimals(weights.logEvidenceError, 4)), "
    + "effective sample size \(decimals(weights.effectiveSampleSize, 0)) of 20000, k-hat \(decimals(weights.paretoK, 2))"
)

// The chains start at draws of a wide normal distribution, not of the flow: they know nothing of it.
let rounds = max(2, try options.integer("rounds"))
let chains = 64
var sampler = HamiltonianChains(
  target, from: 0.5 * key.folded(in: 2).normal([chains, size], dtype: .float64),
  steps: .full([size], 0.12, dtype: .float64))
var kept: [Tensor] = []
for round in 0..<rounds {
  try sampler.advance(key.folded(in: 3).folded(in: round), leaps: 16)
  if round >= rounds / 3 { kept.append(sampler.positions) }
}
let reference = concatenate(kept, axis: 0)
print(
  "Hamiltonian Monte Carlo: \(chains) chains, \(kept.count) rounds kept, acceptance \(decimals(sampler.acceptance, 2))"
)

let draws = try fitted.sample(key.folded(in: 4), fitted.params, count: 20_000).cast(to: .float64)
func moments(_ x: Tensor) -> (mean: [Double], deviation: [Double]) {
  let mean = x.mean(axis: 0)
  return (mean.doubles, sqrt(square(x - mean).mean(axis: 0)).doubles)
}
let (ours, theirs) = (moments(draws), moments(reference))
// The chains' own error, from the spread of their means.
let perChain = stack(kept, axis: 0).mean(axis: 0)
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
  "largest difference: means \(decimals(worstMean, 3)) deviations, deviations \(decimals(100 * worstDeviation, 1)) %"
)

try draw()

/// The two weights with the widest posteriors, and the way there.
func draw() throws {
  let widest = (1..<size).sorted { theirs.deviation[$0] > theirs.deviation[$1] }
  let pair = [widest[0], widest[1]]
  let axes = Tensor(ints: pair)
  func points(_ x: Tensor) -> Tensor { x.gathered(axes) }
  let thinned = reference.rows(Array(stride(from: 0, to: reference.rows, by: max(1, reference.rows / 1_500))))
  try ScatterPlot(
    "Posterior of two weights: a spline flow and Hamiltonian Monte Carlo",
    series: [.init("Hamiltonian Monte Carlo", points(thinned)), .init("flow", points(draws[0..<1_500]))],
    xLabel: regression.names[pair[0]], yLabel: regression.names[pair[1]]
  ).write(to: "\(prefix)-marginals.svg")
  let settled = fitted.record.filter { $0.index >= 20 }
  try LineChart(
    "ELBO of the regression's posterior",
    series: [
      .init("ELBO", settled.map { -$0.loss }, x: settled.map { Double($0.index) }),
      .init("log-evidence", settled.map { _ in weights.logEvidence }, x: settled.map { Double($0.index) }),
    ], xLabel: "iteration", yLabel: "nats"
  ).write(to: "\(prefix)-elbo.svg")
  print("wrote \(prefix)-marginals.svg and \(prefix)-elbo.svg")
}
