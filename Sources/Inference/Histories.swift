import Distributions
import Tensors
import Training

/// Simulated histories: the random draws of each, and the observables that came of them.
///
/// A history is one run of a simulator, such as a collision. It makes several draws from one conditional
/// density q(row | context), its *emissions*, and ends in a few observables, such as their number. Each draw
/// that had an influence belongs to the history, also one that the simulator vetoed. Otherwise the weights of
/// `fineTune` are wrong.
public struct Histories: Sendable {
  /// The emissions of all histories, in any order, `[emissions] + sample`.
  public let rows: Tensor
  /// The context of each emission, or nil.
  public let context: Tensor?
  /// The number of the history, from 0, to which each emission belongs.
  public let segments: [Int]
  /// The observables in float64, `[histories, observables]`.
  public let observables: Tensor
  /// The weight of each history, not negative; nil where all are alike.
  public let weights: [Double]?

  /// Puts histories together.
  ///
  /// - Parameters:
  ///   - rows: the emissions, `[emissions] + sample`.
  ///   - context: one row of context per emission.
  ///   - segments: the number of the history of each emission.
  ///   - observables: `[histories, observables]`, or `[histories]` for a single one.
  ///   - weights: the weight of each history, such as a simulator's own.
  /// - Throws:
  ///   - `FlowError.mismatch` for sizes that differ, a history without emissions, and a weight that is more
  ///     than all others, of two histories more than twice the other;
  ///   - `.notFinite` for NaN or infinity;
  ///   - `.outsideDomain` for a segment that is no history's number, and for a negative weight.
  public init(
    _ rows: Tensor, context: Tensor? = nil, segments: [Int], observables: Tensor, weights: [Double]? = nil
  ) throws(FlowError) {
    let observables = observables.rank == 1 ? observables.expanded(axis: 1) : observables
    self.observables = observables.cast(to: .float64)
    (self.rows, self.context, self.segments, self.weights) = (rows, context, segments, weights)
    try checkSizes()
    try Histories.check(observables, "observables; leave out such a history with its emissions")
    try Histories.check(rows, "emissions")
    if let context { try Histories.check(context, "context") }
    try checkSegments()
    try checkWeights()
  }

  /// The number of histories.
  public var count: Int { observables.rows }

  /// The number of emissions of each history.
  public var lengths: [Int] {
    var lengths = [Int](repeating: 0, count: count)
    for segment in segments { lengths[segment] += 1 }
    return lengths
  }

  private func checkSizes() throws(FlowError) {
    guard observables.rank == 2, observables.rows > 1, observables.shape[1] > 0 else {
      throw .mismatch(
        who: "Histories", what: "observables", expected: "[histories, observables] of two histories or more",
        got: "\(observables.shape)")
    }
    let dtypes = [rows.dtype] + (context.map { [$0.dtype] } ?? [])
    guard rows.dtype.isFloatingPoint, dtypes.allSatisfy({ $0 == rows.dtype }) else {
      throw .mismatch(
        who: "Histories", what: "emissions and contexts", expected: "of one dtype of real numbers",
        got: dtypes.map { "\($0)" }.joined(separator: " and "))
    }
    let contexts = context.map { $0.rank > 1 ? $0.rows : -1 }
    guard rows.rank > 1, rows.rows == segments.count, contexts ?? rows.rows == rows.rows else {
      throw .mismatch(
        who: "Histories", what: "as many emissions as segments and contexts",
        expected: "\(segments.count)", got: "\(rows.shape)" + (context.map { " and \($0.shape)" } ?? ""))
    }
  }

  private static func check(_ values: Tensor, _ what: String) throws(FlowError) {
    if let place = values.firstNonFinite {
      throw .notFinite(who: "Histories", what: what, row: place / values.shape.sample.count)
    }
  }

  private func checkSegments() throws(FlowError) {
    if let row = segments.firstIndex(where: { !(0..<count).contains($0) }) {
      throw .outsideDomain(
        who: "Histories", expected: "of segments from 0 to \(count - 1)", got: Double(segments[row]), row: row
      )
    }
    if let empty = lengths.firstIndex(of: 0) {
      throw .mismatch(
        who: "Histories", what: "an emission in every history;",
        expected: "leave out a history without one, "
          + "whose weight nothing can change, or add the draws that the simulator vetoed",
        got: "none in history \(empty)")
    }
  }

  private func checkWeights() throws(FlowError) {
    guard let weights else { return }
    guard weights.count == count else {
      throw .mismatch(
        who: "Histories", what: "a weight per history", expected: "\(count)", got: "\(weights.count)")
    }
    if let row = weights.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(who: "Histories", what: "weights", row: row)
    }
    if let row = weights.firstIndex(where: { $0 < 0 }) {
      throw .outsideDomain(who: "Histories", expected: "of weights from 0 on", got: weights[row], row: row)
    }
    let largest = weights.max() ?? 0
    // Divided first: the sum of large weights may overflow.
    let total = largest > 0 ? weights.reduce(0) { $0 + $1 / largest } : 0
    guard total >= (count == 2 ? 1.5 : 2) else {
      throw .mismatch(
        who: "Histories", what: "weights",
        expected: "of which none outweighs all others; simulate more "
          + "histories, or simulate them with less unequal weights",
        got: total == 0 ? "weights that are all 0" : "one with \(Int(100 / total)) % of the sum")
    }
  }
}
