import Training

/// The laws of a bijection, each a check that throws what is wrong: for the library's own table and for users' layers.
///
/// Laws run in float64 at the initial parameters and at parameters moved by noise of deviation 0.1, but where said
/// otherwise. A layer that declares that it couples rows (`.couplesRows`) is exempt from the two laws on rows; its log-det
/// is checked with what the rows share held constant. Statistics that training keeps are moved by the inputs until they rest
/// (1000 times at most): the inverse undoes the forward direction of the very batch whose statistics the parameters hold.
public struct Laws: Sendable {
  /// A law.
  public enum Law: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Outputs have the codomain's shape, log-dets one number a row; no rows give no rows.
    case shapes
    /// inverse(forward(x)) = x and forward(inverse(y)) = y.
    case roundTrip
    /// Both log-dets equal the dual-number Jacobian's log|det|.
    case logDet
    /// log|det| of forward at x and of inverse at forward(x) cancel.
    case logDetsCancel
    /// The gradient by parameters and inputs equals finite differences.
    case gradient
    /// At perturbed parameters every learned leaf has a non-zero gradient.
    case everyLeafLearns
    /// A row has the same bits alone and in any batch (float32).
    case rowBits
    /// Row i does not depend on row j; a NaN stays in its row.
    case rowIndependence
    /// The same key gives the same parameters to the bit; the mapping does not depend on when it was made.
    case sameKey
    /// Parameters loaded under another key give the same function to the bit.
    case loading
    /// float32 and float64 are the same function.
    case dtypes
    /// A missing or unexpected context, a wrong width and a wrong dtype throw.
    case boundary

    /// The name.
    public var description: String { rawValue }
  }

  let bijection: any Bijection
  let inputDim: Shape
  let contextDim: Shape?
  let key: Key
  let givenInputs: Tensor?
  let tolerance: Tolerance
  let chart: Chart?

  /// How far a law may be missed, relative to max(1, |value|).
  public struct Tolerance: Sendable {
    /// The round trip in float64.
    public var roundTrip: Double
    /// Log-determinants in float64.
    public var logDet: Double
    /// Gradients against finite differences in float64.
    public var gradient: Double
    /// float32 against float64.
    public var float32: Double

    /// Tolerances, the defaults unless said otherwise.
    public init(
      roundTrip: Double = 1e-9, logDet: Double = 1e-9, gradient: Double = 1e-5, float32: Double = 1e-4
    ) {
      self.roundTrip = roundTrip
      self.logDet = logDet
      self.gradient = gradient
      self.float32 = float32
    }
  }

  /// The laws for a bijection at a place.
  ///
  /// - Parameters:
  ///   - bijection: what is checked.
  ///   - inputDim: one sample's shape.
  ///   - contextDim: one context sample's shape, for a conditional bijection.
  ///   - key: what everything random is drawn from.
  ///   - inputs: float64 rows to check at (edge cases); by default drawn inside the domain.
  ///   - tolerance: how far a law may be missed.
  ///   - chart: the coordinates of an input sample; by default those of the domain.
  public init(
    of bijection: any Bijection, inputDim: Shape, contextDim: Shape? = nil, key: Key = Key(0),
    inputs: Tensor? = nil,
    tolerance: Tolerance = Tolerance(), chart: Chart? = nil
  ) {
    self.bijection = bijection
    self.inputDim = inputDim
    self.contextDim = contextDim
    self.key = key
    givenInputs = inputs
    self.tolerance = tolerance
    self.chart = chart
  }

  /// Checks one law.
  ///
  /// - Throws: `FlowError.verification` that says what is wrong, or what the layer throws.
  public func check(_ law: Law) throws {
    switch law {
    case .shapes: try checkShapes()
    case .roundTrip: try checkRoundTrip()
    case .logDet:
      try LogDetCheck(
        of: bijection, inputDim: inputDim, contextDim: contextDim, key: key, inputs: givenInputs,
        tolerance: tolerance.logDet, chart: chart
      ).verify(progress: .silent)
    case .logDetsCancel: try checkLogDetsCancel()
    case .gradient: try checkGradient()
    case .everyLeafLearns: try checkEveryLeafLearns()
    case .rowBits: try checkRowBits()
    case .rowIndependence: try checkRowIndependence()
    case .sameKey: try checkSameKey()
    case .loading: try checkLoading()
    case .dtypes: try checkDTypes()
    case .boundary: try checkBoundary()
    }
  }
}

/// Checks every law of a bijection: shapes, round trip, log-determinants in both directions against the dual-number
/// Jacobian, gradients, rows, keys, loading, dtypes, errors. For one line in a test of your own layer.
///
/// Parameters are those of `Laws`, and `progress`: how to report on standard error, from the third second on.
///
/// - Throws: `FlowError.verification` with every law that fails.
public func checkLaws(
  of bijection: any Bijection, inputDim: Shape, contextDim: Shape? = nil, key: Key = Key(0),
  inputs: Tensor? = nil,
  tolerance: Laws.Tolerance = .init(), chart: Chart? = nil, progress: ProgressReporting = .automatic
) throws {
  let laws = Laws(
    of: bijection, inputDim: inputDim, contextDim: contextDim, key: key, inputs: inputs, tolerance: tolerance,
    chart: chart)
  var meter = ProgressMeter(progress, total: Laws.Law.allCases.count, quietFor: .seconds(2))
  defer { meter.clear() }
  let failures = Laws.Law.allCases.compactMap { law -> String? in
    defer { meter.advance("laws of \(type(of: bijection)): \(law)") }
    do {
      try laws.check(law)
      return nil
    } catch { return "\(law): \(error)" }
  }
  if !failures.isEmpty {
    throw FlowError.verification(who: "\(type(of: bijection))", message: failures.joined(separator: "\n"))
  }
}
