import Bijections
import Distributions
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
    self.rates = rates
    self.losses = losses
  }

  /// The rate in the middle of the tenth of the steps, before the lowest loss, in which the loss fell most; nil where it never
  /// fell. Over fewer steps the difference would be the batches' noise.
  public var suggestion: Double? {
    let window = max(1, losses.count / 10)
    guard let lowest = losses.indices.min(by: { losses[$0] < losses[$1] }), lowest >= window else {
      return nil
    }
    func fall(_ i: Int) -> Double { losses[i - window] - losses[i] }
    guard let end = (window...lowest).max(by: { fall($0) < fall($1) }), fall(end) > 0 else { return nil }
    return rates[end - window / 2]
  }
}

/// Looks for a learning rate: a short run of maximum likelihood in which it rises from `first` to `last`, a constant factor a
/// step.
///
/// Where the loss falls fastest is a rate to train with. Each step sees rows of its
/// own. The losses are smoothed as Adam's mean is: m ← 0.9 m + 0.1 loss, divided by 1 − 0.9ᵗ. The run ends early when a
/// loss or a gradient is not finite. Smith 2015, *Cyclical learning rates*, arXiv 1506.01186, section 3.3.
///
/// - Parameters:
///   - distribution: what is to be fitted.
///   - data: rows, `[rows] + sample`.
///   - context: rows beside them, for a conditional distribution.
///   - key: what initial values and batches are drawn from.
///   - first: the lowest rate.
///   - last: the highest rate.
///   - steps: how many steps.
///   - batchSize: rows a step.
///   - optimizer: the optimizer for a schedule; Adam with clipping by default.
/// - Throws: what `fit` throws for data, what the layers throw.
/// - Precondition: 0 < first < last, at least two steps, a positive batch size.
public func findLearningRate(
  _ distribution: some Distribution, to data: Tensor, given context: Tensor? = nil, key: Key,
  from first: Double = 1e-6, to last: Double = 1, steps: Int = 100, batchSize: Int = 256,
  optimizer: (Schedule) -> any Optimizer = { Chain(ClipByGlobalNorm(10), Adam(learningRate: $0)) }
) throws -> LearningRateSearch {
  require(
    0 < first && first < last && steps > 1 && batchSize > 0,
    "findLearningRate got rates from \(first) to \(last), \(steps) steps, batches of \(batchSize)")
  try checkData(data, context)
  let (initKey, orderKey) = (key.folded(in: 0), key.folded(in: 1))
  func rows(_ step: Int) -> [Int] { orderKey.folded(in: step).choice(batchSize, of: data.rows) }

  let start = rows(0)
  var (params, logPDF, _) = try distribution(
    initKey, inputDim: data.shape.sample, contextDim: context?.shape.sample, initInputs: data.rows(start),
    initContext: context?.rows(start), dtype: data.dtype)
  let schedule = Schedule.exponential(first, factor: last / first, steps: steps - 1)
  let optimizer = optimizer(schedule)
  var state = optimizer.initialize(params)
  var (rates, losses, mean, weight): ([Double], [Double], Double, Double) = ([], [], 0, 0)
  for step in 0..<steps {
    let batch = DataObjective.Batch(
      data.rows(rows(step + 1)), given: context?.rows(rows(step + 1)), key: key.folded(in: 2))
    try logPDF.boundary.check(params, batch.rows, given: batch.context)
    let (loss, gradient) = try DataObjective.maximumLikelihood.valueAndGradient(
      of: logPDF, at: params, over: batch)
    guard loss.isFinite, gradient.isFinite else { break }
    (mean, weight) = (0.9 * mean + 0.1 * loss.item, 0.9 * weight + 0.1)
    rates.append(schedule(step))
    losses.append(mean / weight)
    params = try logPDF.statistics?(params, batch.rows, batch.context) ?? params
    (params, state) = try optimizer.update(gradient, state, params)
  }
  return LearningRateSearch(rates: rates, losses: losses)
}
