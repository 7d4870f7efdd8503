import Distributions
import Tensors
import Training

extension Histories {
  /// The weights of the histories under other parameters: log w = Σ [log q(row) − log q₀(row)] over the
  /// emissions of a history, times its own weight.
  ///
  /// At the start's own parameters each factor is exactly 1. The mean factor is 1 for every density that is
  /// positive only where q₀ is. ``ImportanceWeights/effectiveSampleSize`` and ``ImportanceWeights/paretoK``
  /// say how far to trust them: from k̂ = 0.5 on, their variance is infinite.
  ///
  /// - Parameters:
  ///   - logPDF: the log-density of emissions.
  ///   - params: the parameters q of the weights.
  ///   - start: the parameters q₀ that the emissions were drawn with.
  /// - Throws: `FlowError.outsideDomain` for an emission that q₀ excludes; the errors of the log-density.
  public func importanceWeights(
    _ logPDF: LogPDF, _ params: Params, from start: Params
  ) throws(FlowError) -> ImportanceWeights {
    let ratios = try logRatios(logPDF, params, over: try logDensities(logPDF, start))
    if let row = ratios.firstIndex(where: \.isNaN) {
      throw .notFinite(who: "Histories", what: "log-weights", row: row)
    }
    return ImportanceWeights(logWeights: weighted(ratios))
  }

  /// The log-density of each emission under the parameters that it was drawn with.
  func logDensities(_ logPDF: LogPDF, _ start: Params) throws(FlowError) -> [Double] {
    let densities = try logPDF.inChunks(start, rows, given: context, progress: .silent).doubles
    if let row = densities.firstIndex(where: { !$0.isFinite }) {
      throw .outsideDomain(
        who: "Histories",
        expected: "of a finite log-density under the parameters that they were drawn with; "
          + "give the parameters and the contexts of the simulation",
        got: densities[row], row: row)
    }
    return densities
  }

  /// The log-weight of each history relative to given log-densities of its emissions.
  func logRatios(_ logPDF: LogPDF, _ params: Params, over start: [Double]) throws(FlowError) -> [Double] {
    let densities = try logPDF.inChunks(params, rows, given: context, progress: .silent).doubles
    var sums = [Double](repeating: 0, count: count)
    for (row, segment) in segments.enumerated() { sums[segment] += densities[row] - start[row] }
    return sums
  }

  /// Log-weights with the logarithms of the histories' own weights added.
  func weighted(_ logWeights: [Double]) -> [Double] {
    guard let own = logOwnWeights else { return logWeights }
    return zip(logWeights, own).map { $0 + $1 }
  }

  /// The logarithms of the histories' own weights; nil where all are alike.
  private var logOwnWeights: [Double]? { weights.map { log(Tensor($0, dtype: .float64)).doubles } }

  /// The histories' own weights with sum 1.
  var ownShares: Tensor {
    let zeros = [Double](repeating: 0, count: count)
    return Tensor(weighted(zeros), dtype: .float64).softmax(axis: 0)
  }
}
