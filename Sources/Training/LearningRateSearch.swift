import Distributions
import Plots
import Randomness
import Tensors

/// The losses of a run whose learning rate rises from step to step.
public struct LearningRateSearch: Sendable, Hashable {
  /// The rates of the steps.
  public let rates: [Double]
  /// The losses before the steps, smoothed.
  public let losses: [Double]

  /// Rates, equally spaced in their logarithm, and a loss for each.
  public init(rates: [Double], losses: [Double]) {
    (self.rates, self.losses) = (rates, losses)
  }

  /// The rate at which the loss fell fastest; nil where it never fell by more than its noise.
  ///
  /// It lies in the middle of the tenth of the steps, before the lowest loss, in which the loss fell most.
  /// In a search of 20 steps or more, a fall counts from four of its standard deviations on. They follow from
  /// the noise of the losses from step to step. It is also above 1/10,000 of the loss.
  public var suggestion: Double? {
    let window = max(1, losses.count / 10)
    guard let lowest = losses.indices.min(by: { losses[$0] < losses[$1] }), lowest >= window else {
      return nil
    }
    let (noise, least) = (noise(before: lowest), losses[...lowest].map(abs).max()! * 1e-4)
    func fall(_ i: Int) -> Double { losses[i - window] - losses[i] }
    func isAboveNoise(_ i: Int) -> Bool {
      if losses.count < 20 { return fall(i) > 0 }
      let variance = smoothed(i) + smoothed(i - window)
      return fall(i) > least && fall(i) * fall(i) > 16 * noise * noise * variance
    }
    let ends = (window...lowest).filter(isAboveNoise)
    return ends.max { fall($0) < fall($1) }.map { rates[$0 - window / 2] }
  }

  /// The share of one loss' variance that the smoothed loss of step i has.
  private func smoothed(_ i: Int) -> Double {
    let (kept, keptSquared) = (0...i).reduce((1.0, 1.0)) { total, _ in (total.0 * 0.9, total.1 * 0.81) }
    return 0.01 * (1 - keptSquared) / 0.19 / ((1 - kept) * (1 - kept))
  }

  /// The standard deviation of a single loss about its neighbours' mean, robust to the steps of a steep fall.
  private func noise(before last: Int) -> Double {
    guard last >= 2 else { return 0 }
    var (mean, kept, single): (Double, Double, [Double]) = (0, 1, [])
    for loss in losses[...last] {
      kept *= 0.9
      let next = loss * (1 - kept)
      single.append((next - 0.9 * mean) / 0.1)
      mean = next
    }
    let far = (1..<last).map { (i: Int) -> Double in
      let neighbours: Double = (single[i - 1] + single[i + 1]) / 2
      return abs(single[i] - neighbours)
    }.sorted()
    // The median is 0.6745 deviations, and the variance of the difference 1.5 times that of a loss.
    return far[far.count / 2] / (0.6745 * 1.224745)
  }
}

/// Searches for a learning rate: a short run in which it rises from `first` to `last` by a constant factor
/// per step.
///
/// A rate at which the loss falls fastest is one to train with. `fit` takes it by itself with
/// `learningRate: .searched()`. Each step sees rows of its own. The losses are smoothed as Adam's mean is:
/// m ← 0.9 m + 0.1 loss, divided by 1 − 0.9ᵗ. The run ends early when a loss or a gradient is not finite.
///
/// Smith 2015, *Cyclical learning rates*, arXiv 1506.01186, section 3.3.
///
/// - Parameters:
///   - distribution: the distribution to fit.
///   - data: rows, `[rows] + sample`.
///   - context: rows beside them, for a conditional distribution.
///   - objective: the objective to minimize.
///   - key: the key of initial values and batches.
///   - first: the lowest rate.
///   - last: the highest rate.
///   - steps: the number of steps.
///   - batchSize: rows per step.
///   - augment: called on each batch with a key of its own, as by `fit`.
///   - optimizer: the optimizer for a schedule; Adam with clipping by default.
/// - Throws: the errors of `fit` for data, and those of the layers.
/// - Precondition: 0 < first < last, at least two steps, a positive batch size.
public func findLearningRate(
  _ distribution: some Distribution, to data: some RowSource, given context: Tensor? = nil,
  by objective: some Objective = .maximumLikelihood, key: Key, from first: Double = 1e-6,
  to last: Double = 1, steps: Int = 100, batchSize: Int = 256,
  augment: @escaping @Sendable (_ key: Key, _ rows: Tensor) -> Tensor = { _, rows in rows },
  optimizer: (Schedule) -> any Optimizer = { Chain(ClipByGlobalNorm(10), Adam(learningRate: $0)) }
) throws -> LearningRateSearch {
  require(batchSize > 0, "findLearningRate got batches of \(batchSize)")
  let (initKey, orderKey, lossKey) = (key.folded(in: 0), key.folded(in: 1), key.folded(in: 2))
  let augmentKey = key.folded(in: 3)
  let rows = try TrainingRows(
    data, context, nil, heldOut: 0, key: orderKey.folded(in: 0), who: "findLearningRate")
  let start = rows.start(batchSize: batchSize)
  let startRows = augment(augmentKey.folded(in: 0), try data.rows(start))
  let (params, logPDF, sample) = try distribution(
    initKey, inputDim: startRows.shape.sample, contextDim: context?.shape.sample, initInputs: startRows,
    initContext: context?.rows(start), dtype: data.dtype)
  return try LearningRateSearch(
    from: first, to: last, steps: steps, logPDF, objective, start: params, optimizer
  ) { step in
    let batch = orderKey.folded(in: step + 1).choice(batchSize, of: rows.training.count)
    var inputs = TrainingStep(
      logPDF: logPDF, sample: sample, rows: augment(augmentKey.folded(in: step + 1), try data.rows(batch)),
      context: context?.rows(batch), key: lossKey.folded(in: step), index: step)
    (inputs.rowNumbers, inputs.trainingRows) = (batch, rows.training.count)
    return inputs
  }
}

/// The natural logarithm of 10.
private let ln10 = 2.302585092994046

extension LearningRateSearch {
  /// The losses by rates, on a chart whose axis is the rate's decimal logarithm.
  public var picture: LineChart {
    LineChart(
      "Losses while the learning rate rises",
      series: [.init("loss", losses, x: (log(Tensor(doubles: rates, shape: [rates.count])) / ln10).doubles)],
      xLabel: "log10 of the rate", yLabel: "loss, smoothed")
  }

  /// The short run, from parameters and the inputs of its steps.
  init(
    from first: Double, to last: Double, steps: Int, _ logPDF: LogPDF, _ objective: any Objective,
    start: Params, _ optimizer: (Schedule) -> any Optimizer, source: @escaping (Int) throws -> TrainingStep
  ) throws {
    require(
      0 < first && first < last && steps > 1,
      "findLearningRate got rates from \(first) to \(last) and \(steps) steps")
    let schedule = Schedule.exponential(first, factor: last / first, steps: steps - 1)
    let optimizer = optimizer(schedule)
    let run = TrainingRun(
      who: "findLearningRate", logPDF: logPDF, objective: objective, optimizer: optimizer, initial: start,
      steps: steps, interval: steps + 1, source: source)
    var state = FitState(start, optimizer: optimizer)
    var (rates, losses, mean, share): ([Double], [Double], Double, Double) = ([], [], 0, 0)
    do {
      _ = try run(&state, progress: .silent, { _ in "" }) { state in
        (mean, share) = (0.9 * mean + 0.1 * state.loss, 0.9 * share + 0.1)
        rates.append(schedule(state.step - 1))
        losses.append(mean / share)
        return .proceed
      }
    } catch FlowError.diverged {}
    self.init(rates: rates, losses: losses)
  }
}
