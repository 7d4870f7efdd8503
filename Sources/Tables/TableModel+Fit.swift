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
  /// The mean log-likelihood of all rows under independent columns, for comparison: the shares of levels, and
  /// normal distributions of the numbers in the flow's units.
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
  ///   - checkpoint: the file of the state of the numbers' fit.
  ///   - progress: the way to report progress on standard error.
  /// - Throws: the errors of `fit` and `select`.
  public static func fit(
    _ schema: TableSchema, to rows: TableRows, candidates: [Candidate]? = nil,
    by combination: Combination = .best, settings: FitSettings? = nil, key: Key, dtype: DType = .float32,
    checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic
  ) throws -> TableFit {
    let settings = settings ?? FitSettings(rows: rows.count)
    let candidates = candidates ?? [Candidate("ordered-splines", .orderedSplines())]
    var (params, heldOut): ([Params.Child], Double) = ([], 0)
    var codes: Fitted?
    if !schema.codeCounts.isEmpty {
      let fitted = try Training.fit(
        AutoregressiveLevels(schema.codeCounts), to: rows.codes.cast(to: dtype), key: key.folded(in: 0),
        epochs: settings.passes, batchSize: settings.batchSize, optimizer: settings.optimizer,
        validationFraction: settings.validationFraction, patience: .epochs(settings.epochsOfPatience),
        progress: progress)
      params.append(.init("codes", fitted.params))
      heldOut -= fitted.history.isEmpty ? .infinity : fitted.bestRecord.validationLoss ?? .infinity
      codes = fitted
    }
    var numbers: Selection?
    if schema.numberCount > 0, codes?.ending != .cancelled {
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
      numbers = selection
    }
    let flows = numbers.map { $0.members.map { candidates[$0.candidate].flow } } ?? [candidates[0].flow]
    if numbers == nil, schema.hasNumbers { heldOut = -.infinity }
    let model = try TableModel(schema, flows: flows, fitted: params, dtype: dtype)
    return TableFit(
      model: model, codes: codes, numbers: numbers, heldOutLogLikelihood: heldOut,
      independentLogLikelihood: independent(schema, rows))
  }

  /// The mean log-likelihood of rows under independent columns.
  private static func independent(_ schema: TableSchema, _ rows: TableRows) -> Double {
    var total = rows.logScale.mean().item
    for (column, count) in schema.codeCounts.enumerated() {
      var counts = [Double](repeating: 0, count: count)
      for code in rows.codes.sliced(axis: 1, column..<column + 1).doubles { counts[Int(code)] += 1 }
      let shares = Tensor(counts, dtype: .float64) / Double(rows.count)
      total += (shares * log(maximum(shares, 1e-300))).sum().item
    }
    guard schema.hasNumbers else { return total }
    let numbers = TableRows.numbers(Key(0), in: rows.intervals)
    let density = (-0.5 * square(numbers) - 0.91893853320467274).sumPerRow()
    return total + (density - TableRows.logNoise(numbers, in: rows.intervals)).mean().item
  }
}
