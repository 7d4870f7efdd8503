import Tensors

/// A measurement that histories are fitted to, and the loss that compares it with their weighted observables.
///
/// ```swift
/// let multiplicity = ObservedData.histogram(counts, bins: Bins(whole: 0...30))
/// let shape = ObservedData.samples(events, distance: .energy, observables: [1, 2], factor: 0.1)
/// ```
public struct ObservedData: Sendable {
  /// A name for reports and errors.
  public let name: String
  /// The factor of the loss in a sum, not negative. Otherwise the fit throws `FlowError.mismatch`.
  public let factor: Double
  private let preparing: @Sendable (_ observables: Tensor, _ weights: [Double]?) throws -> PreparedData

  /// A loss of one's own.
  ///
  /// - Parameters:
  ///   - name: the name in reports.
  ///   - factor: the factor of the loss.
  ///   - loss: is given the observables of the histories, `[histories, observables]`, once per simulation. It
  ///     returns the loss as a function of the histories' shares, `[histories]` with sum 1, all in float64.
  ///     The loss is a scalar, of shape `[]`. Otherwise the fit throws `FlowError.mismatch`.
  public init(
    _ name: String, factor: Double = 1,
    loss: @escaping @Sendable (_ observables: Tensor) throws -> @Sendable (_ shares: Tensor) -> Tensor
  ) {
    (self.name, self.factor) = (name, factor)
    preparing = { observables, _ in
      let function = try loss(observables)
      let trial = function(
        .full([observables.rows], 1 / Double(max(observables.rows, 1)), dtype: .float64))
      guard trial.shape == [], trial.dtype == .float64 else {
        throw FlowError.mismatch(
          who: name, what: "a loss", expected: "of one number of shape [] in float64; sum over its axes",
          got: "\(trial.shape) in \(trial.dtype)")
      }
      return PreparedData(loss: function)
    }
  }

  init(
    _ name: String, factor: Double,
    prepare: @escaping @Sendable (Tensor, [Double]?) throws(FlowError) -> PreparedData
  ) {
    (self.name, self.factor, preparing) = (name, factor, prepare)
  }

  /// The data next to histories with weights of their own, whatever part of the data they reach.
  func prepare(_ observables: Tensor, weights: [Double]? = nil) throws -> PreparedData {
    try preparing(observables, weights)
  }

  /// The data next to one set of histories.
  func prepared(for observables: Tensor, weights: [Double]? = nil) throws -> PreparedData {
    guard factor >= 0, factor.isFinite else {
      throw FlowError.mismatch(
        who: name, what: "a factor",
        expected: "from 0 on and finite; a negative one would fit away from the "
          + "data", got: "\(factor)")
    }
    let result = try prepare(observables, weights: weights)
    // Weights cannot make histories that the simulator never makes.
    if result.unreachable >= 0.5 {
      throw FlowError.mismatch(
        who: "fineTune", what: "data of \(name)",
        expected: "that the simulator reaches; "
          + "check units and columns, or start from a model whose histories overlap the data",
        got: "\(Int((100 * result.unreachable).rounded())) % of them where no history lies")
    }
    return result
  }

  /// Compares the data with the observables of a sample, all weights alike.
  ///
  /// - Parameter observables: `[histories, observables]`, or `[histories]` for a single one.
  /// - Throws: `FlowError.notFinite` for NaN or infinity, `.mismatch` for another shape or no row, and the
  ///   errors of `fineTune` for data that do not fit the observables.
  public func comparison(with observables: Tensor) throws -> DataComparison {
    let observables = observables.rank == 1 ? observables.expanded(axis: 1) : observables
    guard observables.rank == 2, observables.rows > 0 else {
      throw FlowError.mismatch(
        who: name, what: "observables", expected: "[histories, observables] of one history or more",
        got: "\(observables.shape)")
    }
    if let place = observables.firstNonFinite {
      throw FlowError.notFinite(who: name, what: "observables", row: place / observables.shape[1])
    }
    let count = observables.rows
    return DataComparison(
      name, try prepared(for: observables.cast(to: .float64)),
      .full([count], 1 / Double(max(count, 1)), dtype: .float64))
  }

  /// One observable of histories or of data.
  ///
  /// Throws `mismatch` where there is no such column, and `notFinite` for data that are not numbers.
  static func column(_ index: Int, of values: Tensor, _ who: String) throws(FlowError) -> [Double] {
    guard values.rank == 2, (0..<values.shape[1]).contains(index) else {
      throw .mismatch(
        who: who, what: "observable \(index)", expected: "of those from 0 to \(values.shape[1] - 1)",
        got: "none of that number")
    }
    return values.sliced(axis: 1, index..<index + 1).doubles
  }

  /// Data as a matrix in float64, with as many columns as observables.
  static func matrix(_ data: Tensor, columns: Int, _ who: String) throws(FlowError) -> Tensor {
    let matrix = data.rank == 1 ? data.expanded(axis: 1) : data
    guard matrix.rank == 2, matrix.rows > 0, matrix.shape[1] == columns else {
      throw .mismatch(
        who: who, what: "data", expected: "[rows, \(columns)] with a row at least", got: "\(data.shape)")
    }
    if let place = matrix.firstNonFinite {
      throw .notFinite(who: who, what: "data", row: place / columns)
    }
    return matrix.cast(to: .float64)
  }
}

/// Data next to one set of histories: functions of the shares of the histories, `[histories]` in float64.
struct PreparedData: Sendable {
  let loss: @Sendable (_ shares: Tensor) -> Tensor
  /// χ² and its degrees of freedom, for histograms.
  var chiSquared: (@Sendable (_ shares: Tensor) -> (value: Double, degrees: Int))?
  /// The share of the data where no history lies.
  var unreachable = 0.0
}

/// A comparison of histories with one of the measurements.
public struct DataComparison: Sendable, Hashable {
  /// The name of the measurement.
  public let name: String
  /// The loss, without its factor.
  public let loss: Double
  /// χ² divided by the degrees of freedom; nil for data without bins.
  public let reducedChiSquared: Double?
  /// The degrees of freedom: the number of bins that count, minus 1.
  public let degrees: Int?
  /// The share of the data where no history lies, which weights cannot fit: the bins without a history. For
  /// samples only the range is tested. Gaps between histories inside their range are not counted.
  public let unreachable: Double

  init(_ name: String, _ data: PreparedData, _ shares: Tensor) {
    let chiSquared = data.chiSquared?(shares)
    self.name = name
    loss = data.loss(shares).item
    reducedChiSquared = chiSquared.map { $0.value / Double($0.degrees) }
    degrees = chiSquared?.degrees
    unreachable = data.unreachable
  }
}
