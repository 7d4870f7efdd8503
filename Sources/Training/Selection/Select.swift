import Distributions
import Randomness
import Tensors

/// Fits several flows to the same rows, and takes the best one or mixes them.
///
/// Each candidate is fitted once per fold, so that every row is held out once, if the settings say so. The
/// folds' fits are members with equal weights.
///
/// - Parameters:
///   - candidates: the flows to try.
///   - combination: the way to combine them.
///   - data: the rows.
///   - context: one row of context per row of data.
///   - settings: the settings of all fits; nil for those of the number of rows.
///   - key: the key. The same key gives the same bits.
///   - augment: called on each batch, as in `fit`.
///   - engine: the engine that computes the fits' steps. The fits are compared on the processor.
///   - checkpoint: the file of the first fit's state. The others add a number to its name.
///   - progress: the way to report progress on standard error.
/// - Throws: the errors of `fit`. A candidate that diverges is left out unless all do.
/// - Precondition: there is a candidate.
public func select(
  among candidates: [Candidate], by combination: Combination = .best, fittedTo data: some RowSource,
  given context: Tensor? = nil, settings: FitSettings? = nil, key: Key,
  augment: @escaping @Sendable (_ key: Key, _ rows: Tensor) -> Tensor = { _, rows in rows },
  on engine: Engine = .cpu, checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic
) throws -> Selection {
  require(!candidates.isEmpty, "select needs a candidate")
  let settings = settings ?? FitSettings(rows: data.shape[0])
  var (fits, isCancelled) = ([[Fitted]](repeating: [], count: candidates.count), false)
  var diverged: Set<Int> = []
  var failure: FlowError?
  for (i, candidate) in candidates.enumerated() where !isCancelled {
    var settings = settings
    settings.weightDecay = candidate.weightDecay ?? settings.weightDecay
    settings.learningRate = candidate.learningRate ?? settings.learningRate
    do {
      for fold in 0..<settings.folds where !isCancelled {
        let file = i + fold == 0 ? checkpoint : checkpoint?.numbered("\(i).\(fold)")
        let fitted = try fit(
          candidate.training ?? candidate.flow, to: data, given: context, by: candidate.fitObjective,
          evaluation: candidate.training == nil ? nil : candidate.flow, key: key, epochs: settings.passes,
          batchSize: settings.batchSize, optimizer: settings.optimizer,
          validationFraction: settings.validationFraction, fold: fold,
          patience: .epochs(settings.epochsOfPatience), augment: augment, on: engine, checkpoint: file,
          progress: progress)
        isCancelled = fitted.ending == .cancelled
        fits[i].append(fitted)
      }
    } catch let error as FlowError {
      guard case .diverged = error else { throw error }
      (failure, fits[i]) = (error, [])
      diverged.insert(i)
    }
  }
  let complete = candidates.indices.filter { fits[$0].count == settings.folds }
  let usable = complete.isEmpty ? candidates.indices.filter { !fits[$0].isEmpty } : complete
  if usable.isEmpty, let failure { throw failure }
  // The splits are those of `fit`.
  let folds = usable.map { fits[$0].count }.max() ?? 0
  let splits = try (0..<folds).map { fold in
    try TrainingRows(
      data, context, nil, heldOut: settings.validationFraction, fold: fold, key: key.folded(in: 1),
      who: "select")
  }
  let heldOut = splits.map(\.heldOut)
  // The noise is that of `fit`.
  let densities = try usable.map { i in
    try heldOutLogDensities(fits[i], splits, context) { split, piece in
      try split.heldOutPiece(piece, augment: augment, key.folded(in: 4))
    }
  }

  let weights = combination.weights(densities)
  var trials = candidates.indices.map { i in
    Trial(
      name: candidates[i].name, validationLoss: .infinity, folds: fits[i].count,
      steps: fits[i].reduce(0) { $0 + $1.state.step }, hasDiverged: diverged.contains(i))
  }
  var members: [Selection.Member] = []
  for (place, i) in usable.enumerated() {
    (trials[i].validationLoss, trials[i].weight) = (meanLoss(densities[place]), weights[place])
    if weights[place] == 0 { continue }
    let weight = weights[place] / Double(fits[i].count)
    members += fits[i].map { Selection.Member(candidate: i, fit: $0, weight: weight) }
  }
  let distribution = Selection.mixture(
    of: members.map { candidates[$0.candidate].flow }, weights: members.map { $0.weight })
  var (params, logPDF, sample) = (members[0].fit.params, members[0].fit.logPDF, members[0].fit.sample)
  if members.count > 1 {
    let initial: Params
    (initial, logPDF, sample) = try distribution(
      key, inputDim: augment(key.folded(in: 7), data.rows([0])).shape.sample,
      contextDim: context?.shape.sample, dtype: data.dtype)
    params = try initial.replacing("components", by: Params(members.map { $0.fit.params }))
  }
  return Selection(
    distribution: distribution, params: params, logPDF: logPDF, sample: sample, trials: trials,
    members: members,
    validationLoss: meanLoss(mixedLogDensities(densities, weights)), heldOut: heldOut,
    isCancelled: isCancelled)
}

/// The log-densities of the held-out rows, fold by fold, each under the fit that did not see it.
private func heldOutLogDensities(
  _ fits: [Fitted], _ splits: [TrainingRows], _ context: Tensor?,
  _ read: (TrainingRows, _ piece: Int) throws -> (numbers: [Int], values: Tensor)
) throws -> [Double] {
  try fits.indices.flatMap { fold in
    try splits[fold].heldOutPieces.indices.flatMap { piece in
      let (numbers, values) = try read(splits[fold], piece)
      return try fits[fold].logPDF.inChunks(
        fits[fold].params, values, given: context?.rows(numbers), progress: .silent
      ).doubles
    }
  }
}

/// Minus the mean of log-densities; infinity for none.
private func meanLoss(_ logDensities: [Double]) -> Double {
  logDensities.isEmpty ? .infinity : -logDensities.reduce(0, +) / Double(logDensities.count)
}

/// The log-densities of a mixture.
private func mixedLogDensities(_ logDensities: [[Double]], _ weights: [Double]) -> [Double] {
  let used = weights.indices.filter { weights[$0] > 0 }
  let terms = used.map {
    Tensor(logDensities[$0], dtype: .float64) + log(Tensor(weights[$0], dtype: .float64))
  }
  if logDensities[used[0]].isEmpty { return [] }
  return stack(terms, axis: 1).logSumExp(axis: 1).doubles
}

extension Combination {
  /// The weights of candidates whose held-out rows have these log-densities.
  fileprivate func weights(_ logDensities: [[Double]]) -> [Double] {
    let losses = logDensities.map(meanLoss)
    if self == .stacked && losses.contains(where: \.isFinite) {
      let weights = stackingWeights(logDensities).map { $0 < 0.02 ? 0 : $0 }
      let total = weights.reduce(0, +)
      return weights.map { $0 / total }
    }
    let best = losses.indices.min { losses[$0] < losses[$1] } ?? 0
    return losses.indices.map { $0 == best ? 1 : 0 }
  }
}
