import Bijections
import Distributions
import Files
import Randomness
import Tensors
import Training

/// A model of the rows of a table of mixed columns.
///
/// ```swift
/// let table = try TextTable.read("diamonds.csv")
/// let (schema, rows) = try TableSchema.infer(from: table)
/// let fit = try TableModel.fit(schema, to: schema.encode(table, rows: rows), key: Key(0))
/// let score = try fit.model.logLikelihood(of: schema.encode(test))
/// let draws = try fit.model.sample(Key(1), count: 1_000, given: ["cut": "Ideal"])
/// print(draws.text())
/// ```
///
/// log p(row) = log P(codes) + log q(numbers | codes). P is exact: a masked network of all codes. q is a flow
/// under the context of the codes' indicators. Both have parameters of their own, so they are fitted one by
/// one, and q may be any flow.
///
/// A rounded number stands for a cell. Noise u in the cell gives log P(cell) ≥ E log (q(u) · length).
///
/// An absent number, missing or frequent, is replaced by noise z of a standard normal density r. Then
/// log q(others) ≥ E (log q(others, z) − log r(z)), with equality where q has the density r there.
///
/// The logarithm of the mean over several draws of the noise is a tighter bound (Burda, Grosse &
/// Salakhutdinov 2015, arXiv 1509.00519, eq. 8).
public struct TableModel: Sendable {
  /// The schema of the table.
  public let schema: TableSchema
  /// The parameters: `codes` of the codes' network, and `numbers` of the flow.
  public let params: Params
  /// The dtype of the parameters.
  public let dtype: DType
  /// The flows whose mixture is the density of real numbers; none for a table without any.
  let flows: [Flow]
  let levels: AutoregressiveLevels.Functions
  /// The mixture's functions; nil without real numbers.
  let density: (logPDF: LogPDF, sample: Sampler)?
  /// The maps and the priors' samplers of the flows that take numbers in one order; nil if any does not.
  let ordered: [(forward: Mapping, inverse: Mapping, prior: Sampler)]?

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - schema: the schema of the table.
  ///   - flows: the flows whose mixture is the density of the real numbers.
  ///   - params: the parameters; nil for initial ones.
  ///   - dtype: the dtype.
  /// - Throws: `FlowError.structure` for parameters of another model, and the errors of the flows.
  /// - Precondition: there is a flow.
  public init(
    _ schema: TableSchema, flows: [Flow], params: Params? = nil, dtype: DType = .float32
  ) throws(FlowError) {
    require(!flows.isEmpty, "a model of a table needs a flow")
    (self.schema, self.dtype) = (schema, dtype)
    let network = AutoregressiveLevels(schema.codeCounts)
    levels = AutoregressiveLevels.Functions(network.counts, hidden: network.hidden, dtype: dtype)
    var initial: [Params.Child] = []
    if !network.counts.isEmpty { initial.append(.init("codes", levels.initialParams(Key(0), nil))) }
    let (count, features) = (schema.numberCount, schema.featureCount)
    if count > 0 {
      let mixture = Selection.mixture(of: flows, weights: flows.map { _ in 1 })
      let (size, contextDim) = (Shape([count]), features > 0 ? Shape([features]) : nil)
      let (own, logPDF, sample) = try mixture(
        Key(0), inputDim: size, contextDim: contextDim, dtype: dtype)
      initial.append(.init("numbers", own))
      (self.flows, density) = (flows, (logPDF, sample))
      let areOrdered = flows.allSatisfy { $0.bijection is OrderedSplines && $0.prior is HeavyNormal }
      var maps: [(forward: Mapping, inverse: Mapping, prior: Sampler)] = []
      for flow in areOrdered ? flows : [] {
        let map = try flow.bijection(Key(0), inputDim: size, contextDim: contextDim, dtype: dtype)
        let prior = try flow.prior(Key(0), inputDim: size, dtype: dtype).sample
        maps.append((map.forward, map.inverse, prior))
      }
      ordered = areOrdered ? maps : nil
    } else {
      (self.flows, density, ordered) = ([], nil, [])
    }
    let template = Params.branch(initial)
    if let params {
      let boundary = Boundary("TableModel", domain: Domain([1]), contextDim: nil, dtype: dtype)
      try boundary.expecting(template).check(params)
    }
    self.params = params ?? template
  }

  /// Makes a model of the parts that were fitted. A part that a cancelled fit has not reached is initial.
  init(_ schema: TableSchema, flows: [Flow], fitted: [Params.Child], dtype: DType) throws(FlowError) {
    let initial = try TableModel(schema, flows: flows, dtype: dtype).params
    let parts = initial.children.map { child in fitted.first { $0.label == child.label } ?? child }
    try self.init(schema, flows: flows, params: .branch(parts), dtype: dtype)
  }

  /// The log-likelihood of each row, in float64 and in nats: of probabilities of codes and cells, and of
  /// densities in the data's units elsewhere.
  ///
  /// It is exact, or a lower bound where `schema.isBound`. The noise of a row is a pure function of the row.
  ///
  /// - Parameters:
  ///   - rows: the rows, as the schema encodes them.
  ///   - draws: the draws of noise. More give a tighter bound, on average.
  /// - Throws: `FlowError` for rows of another schema.
  /// - Precondition: there is a draw.
  public func logLikelihood(
    of rows: TableRows, draws: Int = 8
  ) throws(FlowError) -> Tensor {
    require(draws > 0, "a log-likelihood needs a draw of noise, got \(draws)")
    let size = 50_000
    if rows.count > size {
      var pieces: [Tensor] = []
      for start in stride(from: 0, to: rows.count, by: size) {
        let piece = rows.rows(Array(start..<min(start + size, rows.count)))
        pieces.append(try logLikelihood(of: piece, draws: draws))
      }
      return concatenate(pieces, axis: 0)
    }
    var total = rows.logScale
    if !levels.counts.isEmpty {
      let codes = levels.logProbability(params.child("codes"), rows.codes.cast(to: dtype))
      total = total + codes.cast(to: .float64)
    }
    guard let density else { return total }
    let (context, intervals) = (schema.features(rows.codes, dtype: dtype), rows.intervals.cast(to: dtype))
    var terms: [Tensor] = []
    for draw in 0..<(schema.isBound ? draws : 1) {
      let numbers = TableRows.numbersByContent(Key(0).folded(in: draw), in: intervals)
      let logDensity = try density.logPDF(params.child("numbers"), numbers, given: context)
      terms.append(logDensity.cast(to: .float64) - TableRows.logNoise(numbers, in: intervals))
    }
    let all = stack(terms, axis: 1).logSumExp(axis: 1)
    return total + all - log(Tensor(Double(terms.count), dtype: .float64))
  }
}
