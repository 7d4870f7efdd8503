import Bijections
import Randomness
import Tensors
import Training

/// Compares the log-determinants that a bijection claims with those of its Jacobian, which dual numbers
/// compute.
///
/// Forward mode computes the Jacobians [D, D] of all rows of a batch, and a pivoted LU their log|det|. Both
/// directions are checked, the inverse at the forward's outputs. The check runs in float64.
/// A sample passes if |claimed − Jacobian's| ≤ tolerance · max(1, |Jacobian's|). Rounding that no algorithm
/// avoids is allowed besides: a small multiple of ε times the condition of the log-det and the spread of the
/// Jacobian's pivots. A tolerance of 0 allows nothing. The cost is O(D) passes and O(D³) per row.
///
/// If samples lie on a surface such as a simplex, J is the Jacobian in the coordinates of a ``Chart``, by
/// default that of the domain.
///
/// If a layer couples rows (`.couplesRows`, as batch normalization in training), J is a row's Jacobian with
/// the batch's statistics held constant.
///
/// The check fails for values that are not finite at given rows. On the default ladder of scales, rows that
/// overflow are left out. It fails for a layer that declares itself volume preserving and has a log-det other
/// than 0. It also fails if all log-determinants are exactly 0 and the layer declares nothing. Initial
/// parameters are exempt from this rule, since many layers start as the identity.
public struct LogDetCheck: Sendable {
  /// A direction at parameters and rows.
  typealias Case = (direction: Specimen.Direction, mayBeZero: Bool)

  private let name: String
  private let cases: [Case]
  let tolerance: Double
  /// The charts of data and of latents, if these lie on surfaces.
  private let surfaces: (data: Chart?, latent: Chart?)

  /// The charts of a direction's inputs and outputs.
  func charts(of item: Case) -> (inputs: Chart?, outputs: Chart?) {
    item.direction.isForward ? surfaces : (surfaces.latent, surfaces.data)
  }

  /// Makes a check of an untrained bijection, at its initial parameters and at perturbed ones.
  ///
  /// Parameters and rows are those of ``Laws``: on a ladder of scales, unless rows are given.
  ///
  /// - Parameters:
  ///   - bijection: The bijection to check.
  ///   - inputDim: The shape of a sample.
  ///   - contextDim: The shape of a context sample, for a conditional bijection.
  ///   - key: The key of the parameters, inputs and noise.
  ///   - inputs: The rows to check at in float64; by default rows inside the domain on a ladder of scales.
  ///   - tolerance: The largest error, relative to max(1, |Jacobian's|).
  ///   - chart: The chart of the input samples; by default that of the domain.
  /// - Throws: The errors of the bijection.
  public init(
    of bijection: any Bijection, inputDim: Shape, contextDim: Shape? = nil, key: Key, inputs: Tensor? = nil,
    tolerance: Double = 1e-9, chart: Chart? = nil
  ) throws {
    try self.init(
      Laws(
        of: bijection, inputDim: inputDim, contextDim: contextDim, key: key, inputs: inputs,
        tolerance: .init(logDet: tolerance), chart: chart))
  }

  /// The check of a bijection's specimens. Many layers start as the identity, whose log-dets are all 0.
  init(_ laws: Laws) throws {
    let specimens = try laws.specimens()
    self.init(
      try specimens.enumerated().flatMap { i, specimen in
        try specimen.directions().map { ($0, mayBeZero: i == 0) }
      }, specimens[0].forward, laws.tolerance.logDet, laws.chart)
  }

  /// Makes a check of two mappings at given parameters, such as those of a trained model.
  ///
  /// - Throws: The errors of the forward mapping.
  /// - Precondition: All tensors are float64.
  public init(
    _ params: Params, forward: Mapping, inverse: Mapping, inputs: Tensor, given context: Tensor? = nil,
    tolerance: Double = 1e-9, chart: Chart? = nil
  ) throws(FlowError) {
    require(inputs.dtype == .float64, "a log-det check runs in float64, got \(inputs.dtype)")
    func direction(_ label: String, _ mapping: Mapping, _ back: Mapping, _ x: Tensor) -> Case {
      (
        .init(
          label: "\(label), given parameters", isForward: label == "forward", mapping: mapping, back: back,
          params: params, inputs: x, context: context, rows: nil), false
      )
    }
    let outputs = try forward.shaped(params, inputs, context).outputs
    self.init(
      [direction("forward", forward, inverse, inputs), direction("inverse", inverse, forward, outputs)],
      forward, tolerance, chart)
  }

  private init(_ cases: [Case], _ forward: Mapping, _ tolerance: Double, _ chart: Chart?) {
    (self.name, self.cases, self.tolerance) = (forward.name, cases, tolerance)
    surfaces = (chart ?? forward.domain.chart, forward.codomain.chart)
  }

  /// Runs the check and throws an error if it fails.
  ///
  /// - Parameter progress: The progress report on standard error, which starts with the third second.
  /// - Throws: `FlowError.verification` with the report if a log-determinant is wrong or could not be
  ///   checked, and the errors of the mappings.
  @discardableResult
  public func verify(progress: ProgressOutput = .automatic) throws -> Report {
    let report = try run(progress: progress)
    if !report.passes {
      throw FlowError.verification(who: "LogDetCheck of \(name)", message: "\n\(report)")
    }
    return report
  }

  /// Runs the check and returns its report, even if the check fails.
  ///
  /// - Parameter progress: The progress report on standard error, which starts with the third second.
  /// - Throws: The errors of the mappings.
  public func run(progress: ProgressOutput = .automatic) throws -> Report {
    let sizes = cases.map { item in
      charts(of: item).inputs?.dimension ?? item.direction.inputs.shape.sample.count
    }
    var meter = ProgressMeter(progress, total: sizes.reduce(0, +), quietFor: .seconds(2))
    defer { meter.clear() }
    var entries: [Report.Entry] = []
    for item in cases { entries.append(try compare(item, &meter)) }
    return Report(entries: entries, tolerance: tolerance)
  }
}
