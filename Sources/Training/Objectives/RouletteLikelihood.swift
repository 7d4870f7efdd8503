import Bijections
import Distributions
import Randomness
import Tensors

/// Maximum likelihood with estimated log-dets of large residual layers: minimizes the mean of −log q(x | c).
///
/// In a step, a ``ResidualFlow`` of more than `exactDimension` dimensions estimates its log-det without
/// bias, by a Russian roulette over the power series. The cost per term is one pass back through its
/// network, in place of D tangents and O(D³). The roulette is that of arXiv 1906.02735, eq. 6, with the
/// gradient of eq. 8.
///
/// Each row has its own signs and number of terms, from the step's key and its place in the batch. So the
/// loss has the same bits for any shards. All other layers are exact, and so are held-out losses.
///
/// Chen, Behrmann, Duvenaud & Jacobsen 2019, *Residual flows for invertible generative modeling*, arXiv
/// 1906.02735.
public struct RouletteLikelihood: RowObjective {
  private let exactTerms: Int
  private let probability: Double
  private let exactDimension: Int

  /// Makes the objective.
  ///
  /// - Parameters:
  ///   - exactTerms: the number of terms of the series that every row takes, without a random weight.
  ///   - probability: the probability that the series ends after a further term. There are 1 / probability
  ///     further terms on average. A smaller one lowers the variance.
  ///   - exactDimension: the largest dimension of layers whose log-det is computed exactly.
  /// - Precondition: 0 < probability < 1; the others are not negative.
  public init(exactTerms: Int = 2, probability: Double = 0.5, exactDimension: Int = 16) {
    require(
      exactTerms >= 0 && exactDimension >= 0 && probability > 0 && probability < 1,
      "a roulette of \(exactTerms) exact terms, probability \(probability), exact up to \(exactDimension)")
    (self.exactTerms, self.probability) = (exactTerms, probability)
    self.exactDimension = exactDimension
  }

  /// The estimated negative log-likelihood of each row.
  public func losses(_ step: TrainingStep) throws -> RowLosses {
    let (x, context, key) = (try step.batch(for: "RouletteLikelihood"), step.context, step.key)
    let mapping = step.logPDF.mapping
    return { params, rows in
      let roulette = roulette(key, firstRow: rows.lowerBound)
      return -(try mapping.estimates(params, x[rows], context?[rows], by: roulette).logDet)
    }
  }

  /// The exact loss.
  public func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor {
    try MaximumLikelihood().value(step)
  }

  private func roulette(_ key: Key, firstRow: Int) -> Roulette {
    Roulette(
      exactTerms: exactTerms, probability: probability, exactDimension: exactDimension, key: key,
      firstRow: firstRow)
  }

  /// Estimates log-densities with their standard errors, for dimensions in which O(D³) per row is too much.
  ///
  /// - Parameters:
  ///   - logPDF: the log-density; its layers above `exactDimension` are estimated.
  ///   - params: the parameters.
  ///   - x: the rows.
  ///   - context: the context of the rows.
  ///   - key: the key of all estimates.
  ///   - draws: the number of estimates per row, at least two.
  /// - Returns: the means [rows] of the estimates, and the standard errors [rows] of these means.
  /// - Throws: `FlowError` as `logPDF` does.
  /// - Precondition: There are two draws at least.
  public func estimate(
    _ logPDF: LogPDF, _ params: Params, _ x: Tensor, given context: Tensor? = nil, key: Key, draws: Int = 16
  ) throws(FlowError) -> (mean: Tensor, standardError: Tensor) {
    require(draws > 1, "a standard error needs two draws or more, got \(draws)")
    try logPDF.boundary.check(params, x, given: context)
    var (mean, spread) = (Tensor.zeros([x.rows], dtype: x.dtype), Tensor.zeros([x.rows], dtype: x.dtype))
    for i in 0..<draws {
      let one = try logPDF.mapping.estimates(
        params, x, context, by: roulette(key.folded(in: i), firstRow: 0)
      ).logDet
      let change = one - mean
      mean = mean + change / Double(i + 1)
      spread = spread + change * (one - mean)
    }
    return (mean, sqrt(spread / Double(draws * (draws - 1))))
  }
}

extension Objective where Self == RouletteLikelihood {
  /// Maximum likelihood with estimated log-dets of large residual layers.
  public static func rouletteLikelihood(
    exactTerms: Int = 2, probability: Double = 0.5, exactDimension: Int = 16
  ) -> RouletteLikelihood {
    RouletteLikelihood(exactTerms: exactTerms, probability: probability, exactDimension: exactDimension)
  }
}
