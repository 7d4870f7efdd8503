import Bijections
import Randomness
import Tensors
import Training

/// The laws of a bijection, each a check that throws what is wrong: for the library's own table and for
/// users' layers.
///
/// Laws run in both directions, at the initial parameters, at parameters with added noise of standard
/// deviation 0.1 and 1, and at parameters shifted by 1 and −1. Jacobians are computed in float64, and float32
/// results and gradients are held against those in float64. The two laws on rows run in float32, at changed
/// parameters.
///
/// The rows are on a ladder of scales: 0 and 10⁻⁶ to 10³, inside the domain and near its ends. Contexts are 0
/// to ten standard deviations. Latents that are no images of data are tried as well. A row that overflows far
/// out is left out. Rounding that no algorithm avoids is allowed (the effect of relative changes of 128 ε).
///
/// A layer that declares the trait `.couplesRows` is exempt from the two laws on rows. Its log-determinant is
/// checked with the batch's statistics held constant. Running statistics are first updated from the inputs
/// until they converge, at most 1000 times. Only then does the inverse undo the forward direction.
public struct Laws: Sendable {
  /// The name of a law.
  public enum Law: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Outputs have the codomain's shape, log-determinants one number per row. No rows give no rows.
    case shapes
    /// Results and gradients at rows of moderate size, 0 included, are finite in both dtypes.
    case finite
    /// inverse(forward(x)) = x and forward(inverse(y)) = y, in both dtypes.
    case roundTrip
    /// Both log-determinants equal the log|det| of the Jacobian that dual numbers compute, and the trait
    /// `.volumePreserving` is true.
    case logDet
    /// The log-determinants of forward at x and of inverse at forward(x) cancel.
    case logDetsCancel
    /// The gradients of both directions by parameters, inputs and context equal finite differences, and those
    /// in float32 equal those in float64.
    case gradient
    /// At some of the changed parameters every learned leaf has a non-zero gradient of both directions.
    case everyLeafLearns
    /// A row has the same bits alone and in any batch (float32), in both directions.
    case rowBits
    /// Row i does not depend on row j; a NaN stays in its row, in both directions.
    case rowIndependence
    /// The same key gives the same parameters to the bit, and the same mappings.
    case sameKey
    /// Parameters that are loaded under another key give the same function to the bit.
    case loading
    /// float32 and float64 compute the same function.
    case dtypes
    /// A missing or unexpected context, a wrong width and a wrong dtype throw errors.
    case boundary

    /// The law's name.
    public var description: String { rawValue }
  }

  let bijection: any Bijection
  let inputDim: Shape
  let contextDim: Shape?
  let key: Key
  let givenInputs: Tensor?
  let tolerance: Tolerance
  let chart: Chart?
  /// The specimens in float64 and float32, which all laws share.
  let doubles = Kept<[Specimen]>(), singles = Kept<[Specimen]>()

  /// The tolerances of the laws, relative to max(1, |value|).
  public struct Tolerance: Sendable {
    /// The tolerance of the round trip in float64.
    public var roundTrip: Double
    /// The tolerance of log-determinants in float64.
    public var logDet: Double
    /// The tolerance of gradients against finite differences in float64.
    public var gradient: Double
    /// The tolerance of float32 results against float64.
    public var float32: Double

    /// Makes tolerances; the defaults suit most layers.
    public init(
      roundTrip: Double = 1e-9, logDet: Double = 1e-9, gradient: Double = 1e-5, float32: Double = 1e-4
    ) {
      self.roundTrip = roundTrip
      self.logDet = logDet
      self.gradient = gradient
      self.float32 = float32
    }
  }

  /// Makes the laws for a bijection with an input shape.
  ///
  /// - Parameters:
  ///   - bijection: The bijection to check.
  ///   - inputDim: The shape of a sample.
  ///   - contextDim: The shape of a context sample, for a conditional bijection.
  ///   - key: The key of all random numbers.
  ///   - inputs: The rows to check at in float64, such as edge cases; by default random rows inside the
  ///     domain.
  ///   - tolerance: The tolerances of the laws.
  ///   - chart: The chart of the input samples; by default that of the domain.
  public init(
    of bijection: any Bijection, inputDim: Shape, contextDim: Shape? = nil, key: Key = Key(0),
    inputs: Tensor? = nil, tolerance: Tolerance = Tolerance(), chart: Chart? = nil
  ) {
    self.bijection = bijection
    self.inputDim = inputDim
    self.contextDim = contextDim
    self.key = key
    givenInputs = inputs
    self.tolerance = tolerance
    self.chart = chart
  }

  /// Checks that the bijection keeps a law.
  ///
  /// - Throws: `FlowError.verification` with the first violation, or an error of the layer.
  public func check(_ law: Law) throws {
    switch law {
    case .shapes: try specimens(.float32).forEach(checkShapes)
    case .finite: try (specimens() + specimens(.float32)).forEach(checkFinite)
    case .roundTrip:
      let double = try specimens()
      for specimen in double { try checkRoundTrip(specimen, specimen) }
      for (single, double) in zip(try specimens(.float32), double) { try checkRoundTrip(single, double) }
    case .logDet:
      try LogDetCheck(self).verify(progress: .silent)
    case .logDetsCancel: try specimens().forEach(checkLogDetsCancel)
    case .gradient:
      let double = try specimens()
      try double.forEach(checkGradient)
      for (single, double) in zip(try specimens(.float32), double) where single.isModerate {
        try checkSingleGradient(double, single)
      }
    case .everyLeafLearns: try checkEveryLeafLearns(specimens().dropFirst())
    case .rowBits: try uncoupledSpecimens().forEach(checkRowBits)
    case .rowIndependence: try uncoupledSpecimens().forEach(checkRowIndependence)
    case .sameKey: try checkSameKey(specimens(.float32)[1], makeSpecimens(.float32)[1])
    case .loading: try checkLoading(specimens(.float32)[1])
    case .dtypes: try zip(specimens(), specimens(.float32)).forEach(checkDTypes)
    case .boundary: try checkBoundary(specimens(.float32)[0])
    }
  }
}

/// Checks every law of a bijection, as a single line in the tests of your own layer.
///
/// The laws concern shapes, finite results, the round trip, both log-determinants, gradients, rows, keys,
/// loading, dtypes and errors. They run once more with a context if none is given and the layer takes one.
/// The parameters are those of ``Laws/init(of:inputDim:contextDim:key:inputs:tolerance:chart:)``.
///
/// - Parameter progress: The progress report on standard error, which starts with the third second.
/// - Throws: `FlowError.verification` with all violated laws.
public func checkLaws(
  of bijection: any Bijection, inputDim: Shape, contextDim: Shape? = nil, key: Key = Key(0),
  inputs: Tensor? = nil, tolerance: Laws.Tolerance = .init(), chart: Chart? = nil,
  progress: ProgressOutput = .automatic
) throws {
  var contexts = [contextDim]
  // A layer without a context of its own has to let the others' context pass.
  if contextDim == nil, (try? bijection(key, inputDim: inputDim, contextDim: 2)) != nil { contexts.append(2) }
  var meter = ProgressMeter(
    progress, total: contexts.count * Laws.Law.allCases.count, quietFor: .seconds(2))
  defer { meter.clear() }
  var failures: [String] = []
  for context in contexts {
    let laws = Laws(
      of: bijection, inputDim: inputDim, contextDim: context, key: key, inputs: inputs, tolerance: tolerance,
      chart: chart)
    for law in Laws.Law.allCases {
      do {
        try laws.check(law)
      } catch {
        failures.append("\(law)\(context == contextDim ? "" : ", with a context"): \(error)")
      }
      meter.advance("laws of \(type(of: bijection)): \(law)")
    }
  }
  if !failures.isEmpty {
    throw FlowError.verification(who: "\(type(of: bijection))", message: failures.joined(separator: "\n"))
  }
}
