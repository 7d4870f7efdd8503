import Bijections
import Randomness
import Tensors
import Training

/// Compares the log-determinants that a bijection claims with those of its Jacobian, which dual numbers
/// compute.
///
/// D forward-mode passes compute the Jacobians [D, D] of all rows of a batch, and a pivoted LU their
/// log|det|. Both directions are checked, the inverse at the forward's outputs. The check runs in float64.
/// A sample passes if |claimed − Jacobian's| ≤ tolerance · max(1, |Jacobian's|). The cost is O(D) passes
/// and O(D³) per row.
///
/// If samples lie on a surface such as a simplex, J is the Jacobian in the coordinates of a ``Chart``, by
/// default that of the domain.
///
/// If a layer couples rows (`.couplesRows`, as batch normalization in training), J is a row's Jacobian with
/// the batch's statistics held constant.
///
/// The check fails for values that are not finite. It also fails if all log-determinants are exactly zero,
/// unless the layer declares itself volume preserving. Initial parameters are exempt from this rule, since
/// many layers start as the identity.
public struct LogDetCheck: Sendable {
  /// Parameters at which both directions are checked.
  private typealias Case = (label: String, params: Params, mayBeZero: Bool)

  private let forward: Mapping
  private let inverse: Mapping
  private let cases: [Case]
  private let inputs: Tensor
  private let context: Tensor?
  private let tolerance: Double
  /// The charts of data and of latents, if these lie on surfaces.
  private let charts: (data: Chart?, latent: Chart?)

  /// Makes a check of an untrained bijection, at its initial parameters and at perturbed ones.
  ///
  /// The perturbation is normal noise of standard deviation 0.1.
  ///
  /// - Parameters:
  ///   - bijection: The bijection to check.
  ///   - inputDim: The shape of a sample.
  ///   - contextDim: The shape of a context sample, for a conditional bijection.
  ///   - key: The key of the parameters, inputs and noise.
  ///   - inputs: The rows to check at in float64; by default random rows inside the domain.
  ///   - rows: The number of random rows.
  ///   - tolerance: The largest error, relative to max(1, |Jacobian's|).
  ///   - chart: The chart of the input samples; by default that of the domain.
  /// - Throws: The errors of the bijection's initialization.
  public init(
    of bijection: any Bijection, inputDim: Shape, contextDim: Shape? = nil, key: Key, inputs: Tensor? = nil,
    rows: Int = 8, tolerance: Double = 1e-9, chart: Chart? = nil
  ) throws(FlowError) {
    let (params, forward, inverse) = try bijection(
      key.folded(in: 0), inputDim: inputDim, contextDim: contextDim, dtype: .float64)
    let inputs = inputs ?? forward.domain.samples(key.folded(in: 1), rows: rows, dtype: .float64)
    let context = contextDim.map { key.folded(in: 2).normal($0.batched(inputs.rows), dtype: .float64) }
    self.init(
      [
        ("initial parameters", params, true),
        ("perturbed parameters", params.perturbed(key.folded(in: 3)), false),
      ],
      forward, inverse, inputs, context, tolerance, chart)
  }

  /// Makes a check of two mappings at given parameters, such as those of a trained model.
  ///
  /// - Precondition: All tensors are float64.
  public init(
    _ params: Params, forward: Mapping, inverse: Mapping, inputs: Tensor, given context: Tensor? = nil,
    tolerance: Double = 1e-9, chart: Chart? = nil
  ) {
    require(inputs.dtype == .float64, "a log-det check runs in float64, got \(inputs.dtype)")
    self.init(
      [("given parameters", params, false)], forward, inverse, inputs, context, tolerance, chart)
  }

  private init(
    _ cases: [Case], _ forward: Mapping, _ inverse: Mapping, _ inputs: Tensor, _ context: Tensor?,
    _ tolerance: Double, _ chart: Chart?
  ) {
    (self.cases, self.forward, self.inverse) = (cases, forward, inverse)
    (self.inputs, self.context, self.tolerance) = (inputs, context, tolerance)
    charts = (chart ?? forward.domain.chart, forward.codomain.chart)
  }

  /// The result of a check: the worst sample of each direction at each set of parameters.
  public struct Report: Sendable, CustomStringConvertible {
    /// The result for a direction at a set of parameters.
    public struct Entry: Sendable {
      /// The direction, `forward` or `inverse`, and the parameters.
      public let label: String
      /// The row with the largest error.
      public let worstRow: Int
      /// The log-determinant that the layer claims for this row.
      public let claimed: Double
      /// The log|det| of the Jacobian for this row.
      public let jacobian: Double
      /// The error |claimed − Jacobian's| / max(1, |Jacobian's|).
      public let error: Double
      /// The reason why a check was impossible, or nil.
      public let refusal: String?
    }
    /// The entries, one per direction and set of parameters.
    public let entries: [Entry]
    /// The largest error that passes.
    public let tolerance: Double

    /// Whether all comparisons were possible and within the tolerance.
    public var passes: Bool { entries.allSatisfy { $0.refusal == nil && $0.error <= tolerance } }
    /// The maximum of the entries' errors.
    public var largestError: Double { entries.map(\.error).max() ?? .nan }

    /// The report as text, one line per entry.
    public var description: String {
      entries.map { entry in
        if let refusal = entry.refusal { return "\(entry.label): refused: \(refusal)" }
        return "\(entry.label): \(entry.error <= tolerance ? "ok" : "WRONG"), worst row \(entry.worstRow): "
          + "claimed \(entry.claimed), Jacobian \(entry.jacobian), error \(entry.error)"
      }.joined(separator: "\n")
    }
  }

  /// Runs the check and throws an error if it fails.
  ///
  /// - Parameter progress: The progress report on standard error, which starts with the third second.
  /// - Throws: `FlowError.verification` with the report if a log-determinant is wrong or could not be
  ///   checked, and the errors of the mappings.
  @discardableResult
  public func verify(progress: ProgressOutput = .automatic) throws(FlowError) -> Report {
    let report = try run(progress: progress)
    if !report.passes {
      throw .verification(who: "LogDetCheck of \(forward.name)", message: "\n\(report)")
    }
    return report
  }

  /// Runs the check and returns its report, even if the check fails.
  ///
  /// - Parameter progress: The progress report on standard error, which starts with the third second.
  /// - Throws: The errors of the mappings.
  public func run(progress: ProgressOutput = .automatic) throws(FlowError) -> Report {
    var entries: [Report.Entry] = []
    let passes = (charts.data?.dimension ?? forward.domain.shape.count) * 2 * cases.count
    var meter = ProgressMeter(progress, total: passes, quietFor: .seconds(2))
    defer { meter.clear() }
    let (data, latent) = charts
    for item in cases {
      let outputs = try forward.shaped(item.params, inputs, context).outputs
      entries += [
        try compare(forward, item, at: inputs, from: data, to: latent, "forward, \(item.label)", &meter),
        try compare(inverse, item, at: outputs, from: latent, to: data, "inverse, \(item.label)", &meter),
      ]
    }
    return Report(entries: entries, tolerance: tolerance)
  }

  private func compare(
    _ mapping: Mapping, _ item: Case, at x: Tensor, from source: Chart?, to target: Chart?, _ label: String,
    _ meter: inout ProgressMeter
  ) throws(FlowError) -> Report.Entry {
    func refuse(_ why: String) -> Report.Entry {
      Report.Entry(label: label, worstRow: 0, claimed: .nan, jacobian: .nan, error: .infinity, refusal: why)
    }
    if x.rows == 0 { return refuse("there are no rows") }
    let size = source?.dimension ?? mapping.domain.shape.count
    let outputSize = target?.dimension ?? mapping.codomain.shape.count
    if size != outputSize {
      return refuse("the Jacobian is not square: \(outputSize) outputs of \(size) inputs")
    }
    let claimed = try mapping.shaped(item.params, x, context).logDet
    let jacobians = try jacobians(of: mapping, item.params, at: x, from: source, to: target) {
      meter.advance("log-det check, \(label)")
    }
    if let row = claimed.firstNonFinite {
      return refuse("the log-det of row \(row) is \(claimed.doubles[row])")
    }
    if let position = jacobians.firstNonFinite {
      return refuse("the Jacobian of row \(position / (size * size)) is not finite")
    }
    let claims = claimed.doubles
    let isAllZero = claims.allSatisfy { $0 == 0 }
    if isAllZero && !item.mayBeZero && !mapping.traits.contains(.volumePreserving) {
      return refuse("every log-det is exactly 0 and the layer does not declare itself volume preserving")
    }
    let truths = (0..<x.rows).map { logAbsDeterminant(jacobians[$0]).item }
    let errors = zip(claims, truths).map { claim, truth in
      truth.isFinite ? abs(claim - truth) / max(1, abs(truth)) : .infinity
    }
    let worst = errors.indices.max { errors[$0] < errors[$1] } ?? 0
    return Report.Entry(
      label: label, worstRow: worst, claimed: claims[worst], jacobian: truths[worst], error: errors[worst],
      refusal: nil)
  }

  /// The Jacobians of all rows by dual numbers, in the charts' coordinates.
  private func jacobians(
    of mapping: Mapping, _ params: Params, at x: Tensor, from source: Chart?, to target: Chart?,
    afterEachPass: () -> Void
  ) throws(FlowError) -> Tensor {
    let couplesRows = mapping.traits.contains(.couplesRows)
    let context = couplesRows ? context.map { concatenate([$0, $0], axis: 0) } : context
    var failure: FlowError?
    func outputs(_ x: Tensor) -> Tensor {
      defer { afterEachPass() }
      do throws(FlowError) {
        let y = try mapping.body(params, source?.embedding(x) ?? x, context).outputs
        return target?.coordinates(y) ?? y
      } catch {
        failure = error
        return x
      }
    }
    let x = source?.coordinates(x) ?? x
    let result = couplesRows ? rowJacobiansOfCoupledRows(at: x, outputs) : rowJacobians(at: x, outputs)
    if let failure { throw failure }
    return result
  }
}

/// The Jacobians of all rows of a function of a batch, with the batch's statistics held constant.
///
/// A statistic of the batch, such as a mean or a variance, does not change if two rows are exchanged. Let the
/// batch hold every row twice, with one copy moved by +ε and the other by −ε. Exchanging the copies turns ε
/// into −ε and leaves the statistic unchanged, so its derivative by ε is 0. The derivative of the copy that
/// moves by +ε is its row's own Jacobian.
private func rowJacobiansOfCoupledRows(at x: Tensor, _ f: (Tensor) -> Tensor) -> Tensor {
  let (rows, size) = (x.rows, x.shape.sample.count)
  let units = Tensor.identity(size, dtype: x.dtype)
  let twice = concatenate(x, x, axis: 0)
  let columns = (0..<size).map { position in
    let direction = units[position].reshaped(to: x.shape.sample).broadcast(to: x.shape)
    let tangent = jvp(at: twice, along: concatenate(direction, -direction, axis: 0), f).tangent
    return tangent[0..<rows].reshaped(to: [rows, size])
  }
  return stack(columns, axis: 2)
}
