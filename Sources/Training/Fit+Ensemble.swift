import Distributions
import Randomness
import Tensors

/// Fits a distribution to data once per key: a deep ensemble.
///
/// ```swift
/// let fits = try fit(flow, to: data, keys: Key(0).split(5))
/// let samples = try ParameterSamples(fits)
/// let density = try fits[0].logPDF(samples, rows)
/// ```
///
/// The members differ in their initial values, in the rows held out and in the order of rows. Each has the
/// bits of a fit with its own key. Where a batch has fewer shards than there are threads, members train at
/// the same time.
///
/// Members keep their threads until they end. On few cores, asynchronous code of the same program may have to
/// wait for one.
///
/// When the task is cancelled, the members under way end with the ending `cancelled`, and those not begun are
/// left out.
///
/// Lakshminarayanan, Pritzel & Blundell 2016, *Simple and scalable predictive uncertainty estimation using
/// deep ensembles*, arXiv 1612.01474.
///
/// - Parameters:
///   - keys: one key per member. The other parameters are those of the fit with one key.
///   - checkpoint: the file of the first member's state. The others add a number to its name.
///   - progress: the way to report progress. Of members that train at the same time the first one reports.
///   - onEpoch: called after each epoch of each member, on the member's thread.
/// - Returns: one fit per key, in their order.
/// - Throws: `FlowError.mismatch` for no keys; the errors of the fit of the first member that fails.
/// - Precondition: as for the fit with one key.
public func fit(
  _ distribution: some Distribution, to data: some RowSource, given context: Tensor? = nil,
  by objective: some Objective = .maximumLikelihood, evaluation: (any Distribution)? = nil,
  weights: Tensor? = nil, freezing: Freezing = .nothing, keys: [Key], epochs: Int? = nil,
  batchSize: Int? = nil, learningRate: LearningRate = .automatic, averaging: Averaging = .automatic,
  optimizer: (any Optimizer)? = nil, validationFraction: Double = 0.1,
  patience: Patience = .automatic,
  augment: @escaping @Sendable (_ key: Key, _ rows: Tensor) -> Tensor = { _, rows in rows },
  checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic,
  onEpoch: @Sendable (_ member: Int, _ state: FitState) throws -> Continuation = { _, _ in .proceed }
) throws -> [Fitted] {
  guard !keys.isEmpty else {
    throw FlowError.mismatch(who: "fit", what: "keys", expected: "at least one", got: "none")
  }
  let shape = data.shape
  let batch = batchSize ?? FitSettings(rows: shape.rank > 0 ? shape[0] : 0).batchSize
  let size = Parallelism.shardRows(of: shape.rank > 0 ? shape.sample : [])
  let shards = max(1, (batch + size - 1) / size)
  return try Cancellation.shared { caller in
    let fits = try concurrentMap(keys.count, threadsEach: shards) { i, isAlone -> Fitted? in
      try Cancellation.$caller.withValue(caller) {
        if i > 0 && caller.isCancelled() { return nil }
        return try fit(
          distribution, to: data, given: context, by: objective, evaluation: evaluation, weights: weights,
          freezing: freezing, key: keys[i], epochs: epochs, batchSize: batchSize,
          learningRate: learningRate, averaging: averaging, optimizer: optimizer,
          validationFraction: validationFraction, patience: patience, augment: augment,
          checkpoint: i == 0 ? checkpoint : checkpoint?.numbered("\(i)"),
          progress: isAlone || i == 0 ? progress : .silent
        ) { try onEpoch(i, $0) }
      }
    }
    return fits.compactMap { $0 }
  }
}
