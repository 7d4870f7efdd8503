import Bijections
import Distributions
import Randomness
import Tensors
import Training

/// Fits the density of a simulator's draws to macroscopic data, by weights of simulated histories.
///
/// ```swift
/// let tuned = try fineTune(
///   flow, fitted.params, histories: simulate(Key(1), fitted.params),
///   to: [.histogram(counts, bins: Bins(whole: 0...30))], key: Key(2), simulate: simulate)
/// print(tuned.report.after[0].reducedChiSquared ?? 0, tuned.report.rounds.count)
/// ```
///
/// A history has the weight w = Π q(row | context) / q₀(row | context) over its emissions, with q₀ the
/// density that they were drawn with. Its observables do not depend on q. So the loss of the weighted
/// observables has a gradient by the parameters of q, and the simulator needs none. Weights are divided by
/// their sum.
///
/// A round ends when the effective sample size falls below a share of that at its start, or after `steps`. A
/// last step that went far beyond is shortened. With `simulate`, the next round draws histories with the new
/// parameters, and its weights start at 1. The rounds end when the loss settles in one
/// that leaves nearly all of the effective sample.
///
/// Many densities of the draws fit one histogram. `penalty` λ adds λ KL(q₀ ‖ q), the divergence of whole
/// histories from those of the first parameters, which picks the nearest one. Its estimate is the mean of
/// w − 1 − log w over the first histories. E₀ w = 1, so that is KL. Its slope is 0 at q₀ on any sample,
/// unlike that of −log w alone.
///
/// The result has the same bits for the same key and any number of threads. A step costs two passes over the
/// emissions, and four with a penalty after the first round.
///
/// When the task is cancelled, the fit ends after the step under way, with the ending `cancelled`.
///
/// The method is that of MAGIC (Bierlich et al. 2024, SciPost Phys. 17, 045), from its description.
///
/// - Parameters:
///   - distribution: the distribution of one emission, most often a conditional flow.
///   - params: its parameters, those that `histories` were simulated with.
///   - histories: the simulation of the first round.
///   - data: the measurements; their losses are added.
///   - penalty: λ, not negative.
///   - freezing: the parameters that stay as they are.
///   - key: the key of the simulations.
///   - rounds: the largest number of rounds; one without a simulator.
///   - steps: the largest number of steps in a round.
///   - optimizer: the optimizer, which starts afresh in each round; nil for Adam with clipping, whose rate
///     falls from 5e-4 to 0 along a cosine. That suits a flow with a network. A density of a few parameters
///     takes a higher rate, such as 0.05.
///   - effectiveShare: the share of the effective sample below which a round ends.
///   - progress: the way to report progress on standard error.
///   - simulate: draws histories with given parameters; nil for a single round.
///   - onRound: called after each round with its record and parameters, to keep them.
/// - Returns: the parameters, the functions that take them, and a report.
/// - Throws:
///   - `FlowError.structure` for parameters of another distribution;
///   - `.mismatch` for data half of which or more lie where no history does, and for sizes that differ;
///   - `.outsideDomain` for an emission that the parameters exclude;
///   - `.diverged`, with the last good parameters, when a loss, a gradient or a parameter is not finite;
///   - the errors of the layers and of the closures. The parameters given are not changed by any error.
/// - Precondition: data, positive rounds and steps, a penalty from 0 on, a share in 0..<1.
public func fineTune(
  _ distribution: some Distribution, _ params: Params, histories: Histories, to data: [ObservedData],
  penalty: Double = 0, freezing: Freezing = .nothing, key: Key = Key(0), rounds: Int = 8, steps: Int = 100,
  optimizer: (any Optimizer)? = nil,
  effectiveShare: Double = 0.5, progress: ProgressOutput = .automatic,
  simulate: ((_ key: Key, _ params: Params) throws -> Histories)? = nil,
  onRound: (FineTuned.Round, Params) throws -> Void = { _, _ in }
) throws -> FineTuned {
  require(
    !data.isEmpty && rounds > 0 && steps > 0 && penalty >= 0 && (0..<1).contains(effectiveShare),
    "fineTune needs data, positive rounds and steps, a penalty from 0 on and a share in 0..<1, got "
      + "\(data.count) data, \(rounds), \(steps), \(penalty) and \(effectiveShare)")
  let (_, logPDF, sample) = try distribution(
    key.folded(in: 0), inputDim: histories.rows.shape.sample, contextDim: histories.context?.shape.sample,
    dtype: histories.rows.dtype)
  try logPDF.boundary.checkShapes(params, histories.rows, given: histories.context)
  let settings = FineTuning(
    logPDF: logPDF, sample: sample, data: data, strength: penalty, freezing: freezing, steps: steps,
    optimizer: optimizer
      ?? Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(5e-4, steps: steps))),
    effectiveShare: effectiveShare, progress: progress, first: histories,
    firstDensities: try histories.logDensities(logPDF, params))
  var (current, simulation, report) = (params, histories, FineTuned.Report())
  for index in 0..<(simulate == nil ? 1 : rounds) {
    if index > 0, let simulate { simulation = try simulate(key.folded(in: index), current) }
    let (round, next) = try settings.round(index, simulation, from: current)
    (current, report.rounds) = (next, report.rounds + [round])
    try onRound(round, current)
    if Task.isCancelled {
      report.ending = .cancelled
      break
    }
    let start = 1 / square(simulation.ownShares).sum().item
    if round.isSettled && round.effectiveSampleSize >= 0.9 * start {
      report.ending = .converged
      break
    }
    if round.isLimited && simulate == nil { report.ending = .needsSimulation }
    if index == (simulate == nil ? 1 : rounds) - 1 && !round.isLimited && !round.isSettled {
      report.ending = .stepsUsed
    }
  }
  if let simulate, report.ending != .cancelled {
    let last = try simulate(key.folded(in: rounds), current)
    report.fresh = try settings.comparisons(last, last.ownShares)
  }
  if let warning = settings.doubtAboutStart(params, key.folded(in: -1)) { report.warnings.append(warning) }
  report.addWarnings(hasSimulator: simulate != nil)
  return FineTuned(params: current, logPDF: logPDF, sample: sample, report: report)
}

extension FineTuned.Report {
  fileprivate mutating func addWarnings(hasSimulator: Bool) {
    guard let last = rounds.last else { return }
    if last.paretoK > 0.5 && last.paretoK < .infinity {
      warnings.append(
        "the weights have a heavy tail (k-hat \((last.paretoK * 100).rounded() / 100), above 0.5), so their "
          + "effective sample size says too much: simulate again with the new parameters")
    }
    let rose = zip(last.before, last.after).allSatisfy { $0.loss < $1.loss }
    if rose {
      warnings.append("the loss rose in the last round: take a lower learning rate")
    }
    if last.paretoK == .infinity {
      warnings.append(
        "\(last.histories) histories are too few to judge the tail of their weights: take more histories")
    }
    if ending == .stepsUsed {
      warnings.append(
        "the loss still falls at the end of the last round: take more steps or a higher learning rate")
    }
    if ending == .needsSimulation {
      warnings.append(
        "the effective sample fell to \(Int(last.effectiveSampleSize)) of \(last.histories) histories before "
          + "the fit was done: simulate again with the new parameters and go on from them")
    }
    if ending == .roundsUsed && hasSimulator {
      warnings.append("the weights still change after \(rounds.count) rounds: allow more rounds or steps")
    }
    for data in after where data.unreachable > 0.01 {
      warnings.append(
        "\(Int((100 * data.unreachable).rounded())) % of the data \(data.name) lie where no history does, "
          + "which no weights can fit: simulate more histories")
    }
  }
}
