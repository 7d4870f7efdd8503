import Distributions
import Privacy
import Randomness
import Tensors
import Training

/// The result of a private fit to a table.
public struct PrivateTableFit: Sendable {
  /// The fitted model.
  public let model: TableModel
  /// The plan of the last fit, which counts all fits.
  public let plan: PrivacyPlan
  /// Whether the noise was secret. A result of known noise must not be called private.
  public let isPrivate: Bool
  /// Whether the task was cancelled. The charge stays that of all steps.
  public let isCancelled: Bool
}

extension TableModel {
  /// Fits a model to rows of a table with differential privacy.
  ///
  /// ```swift
  /// let schema = TableSchema(declaring: [
  ///   .levels("cut", ["Fair", "Good", "Ideal"]), .numbers("price", in: 100...20_000, places: 0),
  /// ])
  /// let plan = try TableModel.plan(schema, epsilon: 3, delta: 1e-5, rate: 0.02, batch: 200, steps: 1_000)
  /// let rows = try schema.encode(table, clamping: true)
  /// let model = try TableModel.fit(schema, to: rows, privately: plan, key: Key(0)).model
  /// ```
  ///
  /// The schema must be declared: one that is inferred has looked at the rows. Levels and numbers are fitted
  /// one after the other with the plan's steps each, and both count. A cell's noise depends on its row alone.
  ///
  /// - Parameters:
  ///   - schema: the schema, which does not depend on the rows.
  ///   - rows: the rows, as the schema encodes them.
  ///   - plan: the plan of each of the two fits, such as `plan(_:epsilon:delta:rate:batch:steps:clipping:)`
  ///     gives.
  ///   - flow: the flow of the numbers; nil for `Flow.orderedSplines`.
  ///   - noise: the source of noise and samples; by default a secret one.
  ///   - key: the key of initial values. It may be known.
  ///   - optimizer: the optimizer of both fits; nil for that of a private fit.
  ///   - dtype: the dtype of the parameters.
  ///   - progress: the way to report progress on standard error.
  /// - Throws: the errors of a private fit.
  public static func fit(
    _ schema: TableSchema, to rows: TableRows, privately plan: PrivacyPlan, flow: Flow? = nil,
    noise: NoiseSource = .secret(), key: Key, optimizer: (any Optimizer)? = nil, dtype: DType = .float32,
    progress: ProgressOutput = .automatic
  ) throws -> PrivateTableFit {
    let flow = flow ?? .orderedSplines(layers: 1, hidden: [64, 64])
    var (params, own, isCancelled): ([Params.Child], PrivacyPlan, Bool) = ([], plan, false)
    if !schema.codeCounts.isEmpty {
      let result = try Training.fit(
        AutoregressiveLevels(schema.codeCounts), to: rows.codes.cast(to: dtype), privately: own,
        noise: noise, key: key.folded(in: 0), optimizer: optimizer, progress: progress)
      params.append(.init("codes", result.fitted.params))
      isCancelled = result.fitted.ending == .cancelled
      if schema.numberCount > 0 {
        own = try PrivacyPlan(
          noiseMultiplier: plan.mechanism.noiseMultiplier, delta: plan.delta, rate: plan.mechanism.rate,
          batch: plan.batch, steps: plan.steps, clipping: plan.clipping, besides: own.ledger)
      }
    }
    if schema.numberCount > 0, !isCancelled {
      let intervals = rows.intervals.cast(to: dtype)
      let result = try Training.fit(
        flow, to: TableRows.numbersByContent(key.folded(in: 2), in: intervals),
        given: schema.features(rows.codes, dtype: dtype), privately: own, noise: noise,
        key: key.folded(in: 1), optimizer: optimizer, progress: progress)
      params.append(.init("numbers", result.fitted.params))
      isCancelled = result.fitted.ending == .cancelled
    }
    let model = try TableModel(schema, flows: [flow], fitted: params, dtype: dtype)
    return PrivateTableFit(model: model, plan: own, isPrivate: noise.isPrivate, isCancelled: isCancelled)
  }

  /// The number of fits that a schema needs: of levels, and of numbers.
  public static func fits(of schema: TableSchema) -> Int {
    max((schema.codeCounts.isEmpty ? 0 : 1) + (schema.numberCount > 0 ? 1 : 0), 1)
  }

  /// A plan for each of the fits that a schema needs, with the least noise for a wished ε of all of them.
  ///
  /// - Parameters: those of a `PrivacyPlan`; `steps` are those of one fit. A `RangeSearch` for the schema's
  ///   bounds counts in `besides`.
  /// - Throws: `PrivacyError` for numbers out of range, or an ε that no noise reaches.
  public static func plan(
    _ schema: TableSchema, epsilon: Double, delta: Double, rate: Double, batch: Double, steps: Int,
    clipping: RowClipping = .perRow(1), besides others: PrivacyLedger = PrivacyLedger(),
    by accountant: PLDAccountant = PLDAccountant()
  ) throws(PrivacyError) -> PrivacyPlan {
    let noise = try accountant.noiseMultiplier(
      epsilon: epsilon, delta: delta, rate: rate, steps: steps * fits(of: schema), besides: others)
    return try PrivacyPlan(
      noiseMultiplier: noise, delta: delta, rate: rate, batch: batch, steps: steps, clipping: clipping,
      besides: others)
  }
}
