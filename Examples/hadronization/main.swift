// Fine-tunes a simulator of hadrons: the density of single emissions is fitted to a histogram of whole
// events.
//
//     swift run -c release hadronization [--model flow] [--histories 20000] [--rounds 8] [--steps 80]
//                                        [--json]
//
// A simplified Lund string breaks into pions. Data come from the parameters (0.30, 0.50), the model starts
// at (0.68, 0.98). The fit sees the number of pions alone. With --rounds 1 there is no second simulation,
// and the fit does not reach the data. Writes PREFIX-pions.svg and PREFIX-share.svg.
import Arguments
import ExampleSupport
import Flows

let program = Program(
  "hadronization", "Fits the density of single emissions to the multiplicity of events.",
  options: [
    .init(
      "model", "NAME", default: "flow", "flow, or parameters for the two parameters of the Lund function"),
    .init("histories", "N", default: "20000", "simulated histories per round, and of the data"),
    .init("training", "N", default: "4000", "steps of the flow's fit to emissions before"),
    .init("rounds", "N", default: "8", "the most rounds of simulation and fit"),
    .init("steps", "N", default: "80", "the most steps in a round"),
    .init("members", "N", default: "5", "fits to data drawn again, for the bands; 1 for none"),
    .init("penalty", "N", default: "0", "thousandths of the divergence from the start in the loss"),
    .init("output", "PREFIX", default: "hadronization", "the beginning of the pictures' file names"),
  ])
let count = program.integer("histories", in: 500...1_000_000)
let (rounds, steps) = (program.integer("rounds", in: 1...100), program.integer("steps", in: 1...10_000))
let (key, string) = (program.key, LundString())

func lund(_ a: Double, _ b: Double) throws -> InitializedDistribution {
  try LundFragmentation(a: a, b: b)(Key(0), inputDim: 1, contextDim: 1, dtype: .float64)
}
func simulate(_ key: Key, _ model: InitializedDistribution, count: Int) throws -> Histories {
  try string.histories(key, count: count) { key, context in
    try model.sample(key, model.params, count: context.rows, given: context)
  }
}
let (base, truth) = (try lund(0.68, 0.98), try lund(0.30, 0.50))
let data = Observed(try simulate(key.folded(in: 0), truth, count: count))
let bins = Bins(whole: 1...40)
let measured = ObservedData.histogram(data.multiplicities, bins: bins, name: "pions")

let model: any Distribution
let initial: Params
let rate: Double
let histories: (Key, Params) throws -> Histories
if program.choice("model", of: ["flow", "parameters"]) == "flow" {
  let flow = Flow(
    Serial(
      Logit(), Standardize(mean: Tensor([-0.8]), deviation: Tensor([1.4])),
      Coupling(MLP(hidden: [24, 24], activation: .tanh), RationalQuadraticSpline(bins: 8, bound: 5))))
  let emissions = try string.histories(key.folded(in: 1), count: count, dtype: .float32) { key, context in
    try base.sample(key, base.params, count: context.rows, given: context.cast(to: .float64))
      .cast(to: .float32)
  }
  let fitted = try fittedFlow(
    flow, to: emissions, key: key.folded(in: 2), steps: program.integer("training"))
  for mass in unseenMasses {
    let kl = try divergence(from: base, to: fitted.logPDF, fitted.params, mass: mass)
    print("KL at the unseen transverse mass \(decimals(mass, 2)) GeV: \(decimals(kl, 4)) nats")
  }
  (model, initial, rate) = (flow, fitted.params, 2e-4)
  histories = { key, params in
    try string.histories(key, count: count, dtype: .float32) { key, context in
      try fitted.sample(key, params, count: context.rows, given: context)
    }
  }
} else {
  (model, initial, rate) = (LundFragmentation(a: 0.68, b: 0.98), base.params, 0.06)
  histories = { key, params in try simulate(key, (params, base.logPDF, base.sample), count: count) }
}
let start = try histories(key.folded(in: 3), initial)
let tuned = try tune(model, to: measured, key.folded(in: 4), isQuiet: false, histories)
let end = try histories(key.folded(in: 5), tuned.params)

// An ensemble: every other member is fitted to events of the data that are drawn again with replacement.
let members = program.integer("members", in: 1...100)
let others = try (1..<members).map { i in
  let events = key.folded(in: 7).folded(in: i).integers([count], in: 0..<count).ints
  let again = ObservedData.histogram(data.multiplicities.rows(events), bins: bins, name: "pions")
  return try tune(model, to: again, key.folded(in: 8).folded(in: i), isQuiet: true, histories).params
}
let samples = try ParameterSamples([tuned.params] + others)

/// Fits to the multiplicity of events, and prints each round.
func tune(
  _ model: any Distribution, to measured: ObservedData, _ key: Key, isQuiet: Bool,
  _ histories: @escaping (Key, Params) throws -> Histories
) throws -> FineTuned {
  try fineTune(
    model, initial, histories: start, to: [measured],
    penalty: Double(program.integer("penalty", in: 0...1_000_000)) / 1_000, key: key,
    rounds: rounds, steps: steps,
    optimizer: Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(rate, steps: steps))),
    simulate: rounds == 1 ? nil : histories,
    onRound: { round, params in
      if isQuiet { return }
      let numbers = params.learnedLeaves.count == 2 ? params.learnedLeaves.map { exp($0).doubles[0] } : []
      print(
        "round \(round.index + 1): chi2/ndf \(decimals(round.before[0].reducedChiSquared!, 2)) -> "
          + "\(decimals(round.after[0].reducedChiSquared!, 2)) in \(round.steps) steps, effective sample "
          + "\(decimals(round.effectiveSampleSize / Double(count), 2)), KL from start "
          + decimals(round.klFromStart, 3) + numbers.map { ", \(decimals($0, 3))" }.joined())
    })
}

let (before, after) = (Observed(start), Observed(end))
/// χ² per degree of freedom of a fresh sample.
func reducedChiSquared(_ observed: Observed) throws -> Double {
  try measured.comparison(with: observed.multiplicities).reducedChiSquared!
}
let (chiBefore, chiAfter) = (try reducedChiSquared(before), try reducedChiSquared(after))
let unseen = { (observed: Observed) in abs(observed.meanShare / data.meanShare - 1) }
let another = try reducedChiSquared(Observed(try simulate(key.folded(in: 6), truth, count: count)))
print(
  "pions, chi2/ndf of fresh samples: \(decimals(chiBefore, 2)) before, \(decimals(chiAfter, 2)) after, "
    + "\(decimals(another, 2)) for a second sample of the truth")
print(
  "mean z, which the fit does not see: data \(decimals(data.meanShare, 4)), before "
    + "\(decimals(before.meanShare, 4)), after \(decimals(after.meanShare, 4)), off by "
    + "\(decimals(100 * unseen(before), 2)) % and \(decimals(100 * unseen(after), 2)) %")
for warning in tuned.report.warnings { print("warning: \(warning)") }

// The same key for all members, so that a band is that of the parameters alone.
let ensemble = try samples.members.map { Observed(try histories(key.folded(in: 5), $0)) }
let means = ensemble.map(\.meanShare)
let center = means.reduce(0, +) / Double(members)
let spread = (means.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(members)).squareRoot()
if members > 1 {
  print("mean z of \(members) fits to data drawn again: \(decimals(center, 4)) ± \(decimals(spread, 4))")
}

let prefix = program.text("output")
program.write(
  try picture("Pions per event", bins, label: "pions", of: \.multiplicities), to: "\(prefix)-pions.svg")
program.write(
  try picture(
    "Shares z of single emissions, unseen by the fit", Bins(25, over: 0...1), label: "z", of: \.shares),
  to: "\(prefix)-share.svg")
try program.finish([
  "chi2_before": chiBefore, "chi2_after": chiAfter, "unseen_relative_error": unseen(after),
  "rounds": tuned.report.rounds.count,
])

/// Histograms of shares in percent, with the statistical errors of the data and the ensemble's deviation.
func picture(
  _ title: String, _ bins: Bins, label: String, of values: KeyPath<Observed, Tensor>
) throws -> HistogramPlot {
  func percent(_ observed: Observed) -> [Double] {
    bins.shares(of: observed[keyPath: values].doubles).dropLast().map { 100 * $0 }
  }
  let own = percent(data)
  let shown = own.lastIndex { $0 > 0 }! + 1
  var remaining = ensemble[...]
  let shares = try samples.evaluate { _ in
    let numbers = percent(remaining.removeFirst())
    return Tensor(doubles: Array(numbers[..<shown]), shape: [shown])
  }
  let (mean, deviation) = (shares.mean, shares.deviation)
  return HistogramPlot(
    title, edges: Array(bins.edges[...shown]),
    data: .init(
      "data", Array(own[..<shown]),
      errors: own[..<shown].map { (100 * $0 / Double(count)).squareRoot() }),
    models: [
      .init("before", Array(percent(before)[..<shown])),
      .init(
        "after", Array(percent(after)[..<shown]),
        band: members == 1 ? nil : ((mean - deviation).doubles, (mean + deviation).doubles)),
    ], xLabel: label, yLabel: "share in %")
}
