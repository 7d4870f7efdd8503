import Distributions
import Randomness
import Tensors
import Training

/// The result of fitting a model to a table.
public struct TableFit: Sendable {
  /// The fitted model.
  public let model: TableModel
  /// The fit of the codes; nil for a table without codes.
  public let codes: Fitted?
  /// The fit of the real numbers; nil for a table without any.
  public let numbers: Selection?
  /// The mean log-likelihood of held-out rows, or a lower bound of it. Minus infinity if none were held out.
  ///
  /// Each row counts under fits that did not see it, with one draw of noise.
  public let heldOutLogLikelihood: Double
  /// The mean log-likelihood of the same held-out rows under independent columns, for comparison.
  ///
  /// These are the shares of levels, and normal distributions of the numbers in the flow's units, both as the
  /// other rows have them.
  public let independentLogLikelihood: Double

  /// Whether the task was cancelled. The model is the best so far.
  public var isCancelled: Bool { codes?.ending == .cancelled || numbers?.isCancelled ?? false }
}

extension TableModel {
  /// Fits a model to rows of a table.
  ///
  /// - Parameters:
  ///   - schema: the schema.
  ///   - rows: the rows, as the schema encodes them.
  ///   - candidates: the flows to try for real numbers; nil for `Flow.orderedSplines`.
  ///   - combination: the way to combine them.
  ///   - settings: the settings of the fits; nil for those of the number of rows.
  ///   - key: the key. The same key gives the same bits.
  ///   - dtype: the dtype of the parameters.
  ///   - checkpoint: the file of the state of the numbers' fit. That of the codes adds `levels` to its name.
  ///   - progress: the way to report progress on standard error.
  /// - Throws: the errors of `fit` and `select`.
  public static func fit(
    _ schema: TableSchema, to rows: TableRows, candidates: [Candidate]? = nil,
    by combination: Combination = .best, settings: FitSettings? = nil, key: Key, dtype: DType = .float32,
    checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic
  ) throws -> TableFit {
    let settings = settings ?? FitSettings(rows: rows.count)
    let candidates = candidates ?? [Candidate("ordered-splines", .orderedSplines())]
    var (params, heldOut, independent): ([Params.Child], Double, Double) = ([], 0, 0)
    var codes: Fitted?
    if !schema.codeCounts.isEmpty {
      let fitted = try Training.fit(
        AutoregressiveLevels(schema.codeCounts), to: rows.codes.cast(to: dtype), key: key.folded(in: 0),
        epochs: settings.passes, batchSize: settings.batchSize, optimizer: settings.optimizer,
        validationFraction: settings.validationFraction, patience: .epochs(settings.epochsOfPatience),
        checkpoint: checkpoint.map { Checkpoint("\($0.path).levels", every: $0.interval) },
        progress: progress)
      params.append(.init("codes", fitted.params))
      let others = try rowsHeldOut(
        of: rows.codes, share: settings.validationFraction, key: key.folded(in: 0))
      heldOut += try heldOutLogLikelihood(of: fitted, rows.codes.rows(others).cast(to: dtype))
      independent += independentCodes(schema, rows.codes, others)
      codes = fitted
    }
    var numbers: Selection?
    if schema.numberCount > 0 {
      // A cancelled task takes no step, so the flow keeps the start that it has from the rows.
      let intervals = rows.intervals.cast(to: dtype)
      let selection = try select(
        among: candidates, by: combination, fittedTo: intervals,
        given: schema.features(rows.codes, dtype: dtype), settings: settings, key: key.folded(in: 1),
        augment: TableRows.numbers, checkpoint: checkpoint, progress: progress)
      params.append(.init("numbers", selection.params))
      heldOut -= selection.validationLoss
      // The scale and the noise of the held-out rows.
      let shifts = selection.heldOut.filter { !$0.isEmpty }.map { fold in
        let own = intervals.rows(fold)
        let noise = TableRows.numbers(key.folded(in: 1).folded(in: 4), in: own)
        return rows.logScale.rows(fold) - TableRows.logNoise(noise, in: own)
      }
      if !shifts.isEmpty { heldOut += concatenate(shifts, axis: 0).mean().item }
      independent += independentNumbers(rows, selection.heldOut)
      numbers = selection
    }
    let flows = numbers.map { $0.members.map { candidates[$0.candidate].flow } } ?? [candidates[0].flow]
    let model = try TableModel(schema, flows: flows, fitted: params, dtype: dtype)
    return TableFit(
      model: model, codes: codes, numbers: numbers, heldOutLogLikelihood: heldOut,
      independentLogLikelihood: independent)
  }
  /// The mean log-likelihood of held-out codes. A cancelled fit may not have judged its parameters.
  private static func heldOutLogLikelihood(of fitted: Fitted, _ codes: Tensor) throws -> Double {
    if let loss = fitted.history.isEmpty ? nil : fitted.bestRecord.validationLoss { return -loss }
    guard codes.rows > 0 else { return -.infinity }
    return try fitted.logPDF.inChunks(fitted.params, codes, progress: .silent).mean().item
  }
}
