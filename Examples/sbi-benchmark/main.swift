// Runs methods of simulation-based inference on two tasks of the benchmark sbibm, and compares their draws
// with the true posterior by a classifier.
//
//     swift run -c release sbi-benchmark [--task all] [--method all] [--simulations 1000] [--rounds 4]
//                                        [--observations 1] [--json]
//
// C2ST is the accuracy of a classifier that tells draws from the true posterior's: 0.5 is best, 1 worst.
// Methods in rounds share the simulations among their rounds. Writes PREFIX-TASK.svg, a corner plot of the
// draws of NPE beside the true ones, and with --calibration PREFIX-TASK-coverage.svg, -ranks.svg, -tarp.svg
// and -local.svg.
import Arguments
import ExampleSupport
import Flows

let methods = ["npe", "nle", "nre", "snpe-c", "tsnpe", "snle"]
let program = Program(
  "sbi-benchmark", "Compares methods of simulation-based inference on two moons and SLCP.",
  options: [
    .init("task", "NAME", default: "all", "two-moons, slcp or all"),
    .init("method", "NAME", default: "all", "\(methods.joined(separator: ", ")) or all"),
    .init("simulations", "N", default: "1000", "simulations of each method, in all rounds together"),
    .init("rounds", "N", default: "4", "rounds of snpe-c, tsnpe and snle"),
    .init("observations", "N", default: "1", "observed data per task, at most 3"),
    .init("draws", "N", default: "2000", "draws that are compared"),
    .init("output", "PREFIX", default: "sbi", "the beginning of the files' names"),
    .init(flag: "calibration", "test the calibration of NPE and draw its pictures"),
    .init(flag: "references", "print moments of the true draws, and write the draws to PREFIX-TASK-N.npy"),
  ])
let task = program.choice("task", of: ["all", "two-moons", "slcp"])
let chosen = program.choice("method", of: ["all"] + methods)
let count = program.integer("simulations", in: 50...10_000_000)
let rounds = program.integer("rounds", in: 2...100)
let observations = program.integer("observations", in: 1...3)
let (draws, key, prefix) = (program.integer("draws", in: 100...100_000), program.key, program.text("output"))

var results: [String: [String: Double]] = [:]
print("task       method  simulations  observed  C2ST   seconds")
for (t, name) in ["two-moons", "slcp"].enumerated() where task == "all" || task == name {
  let (task, key) = (try SimulationTask.named(name), key.folded(in: t))
  let references = try task.observations.prefix(observations).enumerated().map { i, observed in
    try task.reference(key.folded(in: 0).folded(in: i), observed, max(draws, 10_000))
  }
  if program.has("references") {
    for (i, reference) in references.enumerated() {
      let (means, deviations) = (reference.mean(axis: 0), reference.standardDeviation(axis: 0))
      let moments = zip(means.doubles, deviations.doubles).map { "\(decimals($0, 3)) ± \(decimals($1, 3))" }
      print("\(column(name, 10)) true draws given observed \(i + 1): \(moments.joined(separator: ", "))")
      program.write(to: "\(prefix)-\(name)-\(i + 1).npy") { try NPY.write(reference, to: $0) }
    }
  }
  for (m, method) in methods.enumerated() where chosen == "all" || chosen == method {
    let accuracies = try compare(method, task, references, key.folded(in: 1).folded(in: m))
    for (i, accuracy) in accuracies.enumerated() {
      results["\(name), \(method)", default: [:]]["observed \(i + 1)"] = accuracy
    }
  }
}
try program.finish(["simulations": count, "c2st": results])

/// Fits by a method, once for all observed data if it is amortised, and prints a line for each. Returns the
/// accuracies; NaN where chains did not converge.
func compare(
  _ method: String, _ task: SimulationTask, _ references: [Tensor], _ key: Key
) throws -> [Double] {
  var amortised: InferredPosterior?
  var accuracies: [Double] = []
  for (i, reference) in references.enumerated() {
    let (observed, start) = (task.observations[i], ContinuousClock.now)
    let posterior = try amortised ?? inferred(method, task, observed, key.folded(in: i))
    if posterior.rounds.count == 1 { amortised = posterior }
    let result: String
    var accuracy = Double.nan
    var sample: Tensor?
    do {
      let own = try posterior.sample(key.folded(in: 100 + i), count: draws, given: observed)
      sample = own.cast(to: .float64)
      accuracy = try classifierAccuracy(of: reference[0..<draws], and: own, key: key.folded(in: 200 + i))
      result = decimals(accuracy, 3)
    } catch FlowError.verification(_, let message) {
      result = message
    }
    let seconds = Double((ContinuousClock.now - start).components.seconds)
    print(
      "\(column(task.name, 10)) \(column(method, 7)) \(column("\(count)", 12)) \(column("\(i + 1)", 9)) "
        + "\(column(result, 6)) \(decimals(seconds, 0))")
    accuracies.append(accuracy)
    if method == "npe", i == 0, let sample {
      program.write(
        CornerPlot(
          "\(task.name): NPE of \(count) simulations",
          series: [.init("true posterior", reference[0..<draws]), .init("NPE", sample)],
          names: (1...reference.shape[1]).map { "θ\($0)" }), to: "\(prefix)-\(task.name).svg")
      if program.has("calibration") { try calibrate(posterior, task, key.folded(in: 300)) }
    }
  }
  return accuracies
}

func inferred(
  _ method: String, _ task: SimulationTask, _ observed: Tensor, _ key: Key
) throws -> InferredPosterior {
  let own: (method: InferenceMethod, rounds: Int) =
    switch method {
    case "nle": (.likelihood(), 1)
    case "nre": (.ratio(), 1)
    case "snpe-c": (.posterior(later: .atomic()), rounds)
    case "tsnpe": (.posterior(later: .truncated()), rounds)
    case "snle": (.likelihood(), rounds)
    default: (.posterior(), 1)
    }
  return try infer(
    simulator: task.simulate, prior: task.prior, observed: observed, by: own.method,
    simulations: count / own.rounds, rounds: own.rounds, key: key, progress: .silent)
}

func calibrate(_ posterior: InferredPosterior, _ task: SimulationTask, _ key: Key) throws {
  let calibration = try PosteriorCalibration(
    of: posterior, simulator: task.simulate, pairs: 300, key: key.folded(in: 0))
  let local = try LocalTwoSampleTest(of: posterior, simulator: task.simulate, key: key.folded(in: 1))
  let far = calibration.deviations
  print(
    "\(task.name): Kolmogorov distances (1.63 in 1 of 100): ranks "
      + far.ranks.map { decimals($0, 2) }.joined(separator: " ")
      + ", coverage \(decimals(far.coverage, 2)), TARP \(decimals(far.tarp, 2)); "
      + "L-C2ST p = \(decimals(local.pValue, 3))")
  let name = "\(prefix)-\(task.name)"
  program.write(calibration.coveragePicture, to: "\(name)-coverage.svg")
  program.write(calibration.ranksPicture, to: "\(name)-ranks.svg")
  program.write(calibration.tarpPicture, to: "\(name)-tarp.svg")
  program.write(local.picture, to: "\(name)-local.svg")
}
