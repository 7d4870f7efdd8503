import Training

/// Compares the log-determinants that a bijection claims with those of its Jacobian, which dual numbers compute.
///
/// For a whole batch at once: D forward-mode passes give every row's Jacobian [D, D], a pivoted LU its log|det|. Both
/// directions are checked, the inverse at the forward's outputs. Everything is in float64; a sample passes when
/// |claimed − Jacobian's| ≤ tolerance · max(1, |Jacobian's|). O(D) passes and O(D³) a row.
///
/// Where samples lie in a smaller space than they have numbers (on a simplex, say), J is taken in the coordinates of a
/// `Chart`: those of the domain, or the one given.
///
/// Where rows are coupled (`.couplesRows`: batch normalization in training), J is a row's Jacobian with what the rows share
/// held constant.
///
/// It refuses to pass what it could not check: values that are not finite, and log-determinants that are all exactly
/// zero for a layer that does not declare itself volume preserving (at perturbed parameters: many layers start as the
/// identity).
public struct LogDetCheck: Sendable {
  /// One place where both directions are compared.
  struct Case: Sendable {
    let label: String
    let params: Params
    let inputs: Tensor
    let mayBeZero: Bool
  }

  private let forward: Mapping
  private let inverse: Mapping
  private let cases: [Case]
  private let context: Tensor?
  private let tolerance: Double
  /// The coordinates of data and of latents, where those are not their numbers.
  private let charts: (data: Chart?, latent: Chart?)

  /// A check of an untrained bijection, at its initial parameters and at parameters moved by noise of deviation 0.1.
  ///
  /// - Parameters:
  ///   - bijection: what is checked.
  ///   - inputDim: one sample's shape.
  ///   - contextDim: one context sample's shape, for a conditional bijection.
  ///   - key: what parameters, inputs and noise are drawn from.
  ///   - inputs: float64 rows to check at; by default drawn inside the domain.
  ///   - rows: how many rows are drawn.
  ///   - tolerance: relative, and absolute below 1.
  ///   - chart: the coordinates of an input sample; by default those of the domain.
  /// - Throws: what the bijection throws at initialization.
  public init(
    of bijection: any Bijection, inputDim: Shape, contextDim: Shape? = nil, key: Key, inputs: Tensor? = nil,
    rows: Int = 8, tolerance: Double = 1e-9, chart: Chart? = nil
  ) throws(FlowError) {
    let (params, forward, inverse) = try bijection(
      key.folded(in: 0), inputDim: inputDim, contextDim: contextDim, dtype: .float64)
    let inputs = inputs ?? forward.domain.samples(key.folded(in: 1), rows: rows, dtype: .float64)
    self.forward = forward
    self.inverse = inverse
    self.tolerance = tolerance
    charts = (chart ?? forward.domain.chart, forward.codomain.chart)
    context = contextDim.map { key.folded(in: 2).normal($0.batched(inputs.rows), dtype: .float64) }
    cases = [
      Case(label: "initial parameters", params: params, inputs: inputs, mayBeZero: true),
      Case(
        label: "perturbed parameters", params: params.perturbed(key.folded(in: 3)), inputs: inputs,
        mayBeZero: false),
    ]
  }

  /// A check of two mappings at given parameters, a trained model's for example.
  ///
  /// - Precondition: everything is float64.
  public init(
    _ params: Params, forward: Mapping, inverse: Mapping, inputs: Tensor, given context: Tensor? = nil,
    tolerance: Double = 1e-9, chart: Chart? = nil
  ) {
    require(inputs.dtype == .float64, "a log-det check runs in float64, got \(inputs.dtype)")
    self.forward = forward
    self.inverse = inverse
    self.context = context
    self.tolerance = tolerance
    charts = (chart ?? forward.domain.chart, forward.codomain.chart)
    cases = [Case(label: "given parameters", params: params, inputs: inputs, mayBeZero: false)]
  }

  /// What was found: the worst sample of each direction at each parameter set.
  public struct Report: Sendable, CustomStringConvertible {
    /// One line of the report.
    public struct Entry: Sendable {
      /// `forward` or `inverse`, and at which parameters.
      public let label: String
      /// The row with the largest error.
      public let worstRow: Int
      /// What the layer claims there.
      public let claimed: Double
      /// What the Jacobian says there.
      public let jacobian: Double
      /// |claimed − Jacobian's| / max(1, |Jacobian's|).
      public let error: Double
      /// Why this could not be checked, or nil.
      public let refusal: String?
    }
    /// One entry a direction and parameter set.
    public let entries: [Entry]
    /// The largest error allowed.
    public let tolerance: Double

    /// Whether every comparison was made and holds.
    public var passes: Bool { entries.allSatisfy { $0.refusal == nil && $0.error <= tolerance } }
    /// The largest error.
    public var largestError: Double { entries.map(\.error).max() ?? .nan }

    /// One line an entry.
    public var description: String {
      entries.map { entry in
        if let refusal = entry.refusal { return "\(entry.label): refused: \(refusal)" }
        return "\(entry.label): \(entry.error <= tolerance ? "ok" : "WRONG"), worst row \(entry.worstRow): "
          + "claimed \(entry.claimed), Jacobian \(entry.jacobian), error \(entry.error)"
      }.joined(separator: "\n")
    }
  }

  /// Runs the check.
  ///
  /// - Parameter progress: how to report on standard error, from the third second on.
  /// - Throws: `FlowError.verification` with the report when a log-determinant is wrong or could not be checked; what the
  ///   mappings throw.
  @discardableResult
  public func verify(progress: ProgressReporting = .automatic) throws(FlowError) -> Report {
    let report = try run(progress: progress)
    if !report.passes {
      throw .verification(who: "LogDetCheck of \(forward.name)", message: "\n\(report)")
    }
    return report
  }

  /// Runs the check and returns what was found, right or wrong.
  ///
  /// - Parameter progress: how to report on standard error, from the third second on.
  /// - Throws: what the mappings throw.
  public func run(progress: ProgressReporting = .automatic) throws(FlowError) -> Report {
    var entries: [Report.Entry] = []
    let passes = (charts.data?.dimension ?? forward.domain.shape.count) * 2 * cases.count
    var meter = ProgressMeter(progress, total: passes, quietFor: .seconds(2))
    defer { meter.clear() }
    for item in cases {
      let outputs = try forward.shaped(item.params, item.inputs, context).outputs
      let (data, latent) = charts
      entries.append(
        try compare(forward, item, at: item.inputs, from: data, to: latent, "forward, \(item.label)", &meter))
      entries.append(
        try compare(inverse, item, at: outputs, from: latent, to: data, "inverse, \(item.label)", &meter))
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

  /// Every row's Jacobian by dual numbers, in the charts' coordinates.
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

/// The Jacobians of each row, with what the rows share held constant, of a function of a batch.
///
/// A statistic of the batch (a mean, a variance) does not change when two rows change places. Let every row stand twice,
/// one copy moved by +ε and the other by −ε: exchanging the copies turns ε into −ε and leaves the statistic as it is, so
/// its derivative by ε is 0. What the copy that is moved by +ε feels is its row's own Jacobian.
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
