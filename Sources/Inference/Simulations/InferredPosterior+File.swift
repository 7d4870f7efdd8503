import Bijections
import Distributions
import Files
import Networks
import Randomness
import Tensors
import Training

extension InferredPosterior {
  /// A posterior of parameters that were learned before, such as those of `fitted.params`.
  ///
  /// - Parameters:
  ///   - params: the parameters.
  ///   - observed: the observed data: one row, or a row per trial.
  ///   - prior: the prior.
  ///   - method: the density that was learned.
  ///   - embedding: the embedding of the data.
  /// - Throws: `structure` with both trees for parameters of another density; `mismatch` for data that the
  ///   density cannot take.
  public init(
    params: Params, observed: Tensor, prior: SimulationPrior, by method: InferenceMethod = .posterior(),
    embedding: Summary? = nil
  ) throws(FlowError) {
    try self.init(observed, prior, method, embedding, rounds: [], history: []) { _ in params }
  }

  /// Writes the posterior: parameters, observed data, rounds and the history of the last fit.
  ///
  /// The file is a ``SafeTensors`` with a checksum. It holds no prior, no network and no state of an
  /// optimizer.
  ///
  /// - Throws: `file` if the file cannot be written; the errors of the prior.
  public func write(to path: String) throws(FlowError) {
    try FileBytes.write(bytes(), to: path)
  }

  /// Reads a posterior that `write` has written. It has the same bits.
  ///
  /// ```swift
  /// try posterior.write(to: "posterior.safetensors")
  /// let again = try InferredPosterior.read("posterior.safetensors", prior: prior, by: .likelihood())
  /// ```
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - prior: the prior that the posterior was inferred with.
  ///   - method: the method that it was inferred by.
  ///   - embedding: the embedding that it was inferred with.
  /// - Throws:
  ///   - `file` for a damaged or a foreign file, and for one of another method;
  ///   - `file` where log-densities of four points show another prior, flow or network;
  ///   - `structure` with both trees for parameters of another size.
  public static func read(
    _ path: String, prior: SimulationPrior, by method: InferenceMethod = .posterior(),
    embedding: Summary? = nil
  ) throws(FlowError) -> InferredPosterior {
    try parse(FileBytes.read(path), path, prior, method, embedding)
  }

  /// The bytes of the file.
  func bytes() throws(FlowError) -> [UInt8] {
    let records = rounds.flatMap { [Double($0.simulations), Double($0.invalid), $0.priorShare] }
    let trees: [(name: String, tree: Params)] = [
      ("params", fitted.params), ("observed", .frozen(observed)),
      ("rounds", .frozen(Tensor(records, shape: [rounds.count, 3], dtype: .float64))),
      ("history", .frozen(Fitted.Record.table(of: fitted.history, notes: []))),
      ("probe", .frozen(try probe())),
    ]
    let metadata = ["swift-flows": libraryVersion, "inference": method.name]
    return Seal.sealed(SafeTensors(trees: trees, metadata: metadata))
  }

  /// Parses the bytes of a file.
  static func parse(
    _ bytes: [UInt8], _ path: String, _ prior: SimulationPrior, _ method: InferenceMethod,
    _ embedding: Summary?
  ) throws(FlowError) -> InferredPosterior {
    func wrong(_ message: String) -> FlowError { .inFile(path, message) }
    let file = try SafeTensors.parse(bytes: bytes, source: path)
    guard let name = file.metadata["inference"], let observed = file["observed"],
      let table = file["rounds"], let history = file["history"], let probe = file["probe"]
    else { throw wrong("expected a posterior that InferredPosterior wrote, got other tensors") }
    guard Seal.isIntact(bytes) else {
      throw wrong("is damaged: its checksum is not that of its content")
    }
    guard name == method.name else {
      throw wrong("expected a \(method.name), as the method learns, got a \(name)")
    }
    guard observed.rank > 1, observed.rows > 0, table.rank == 2, table.shape[1] == 3, probe.rank == 1,
      let records = Fitted.Record.list(from: history, notes: []), let rounds = Round.list(from: table)
    else { throw wrong("expected observed data, rounds and a history, got other shapes") }
    let posterior = try InferredPosterior(
      observed, prior, method, embedding, rounds: rounds, history: records
    ) { (template) throws(FlowError) in
      try file.tree(under: "params", like: template, who: path)
    }
    let (own, saved) = (try posterior.probe().doubles, probe.doubles)
    let isSame =
      own.count == saved.count
      && zip(own, saved).allSatisfy {
        $0 == $1 || $0.isNaN && $1.isNaN || abs($0 - $1) < 1e-3 * (1 + abs($1))
      }
    if isSame { return posterior }
    throw wrong(
      "expected the prior, the method and the embedding that the posterior was inferred with, got others: "
        + "log-densities at four points of the prior are \(own), they were \(saved)")
  }

  /// Log-densities at points of the prior, by which another prior, flow or network is noticed.
  private func probe() throws(FlowError) -> Tensor {
    try logDensity(prior.sample(Key(0), count: 4), of: observed)
  }

  private init(
    _ observed: Tensor, _ prior: SimulationPrior, _ method: InferenceMethod, _ embedding: Summary?,
    rounds: [Round], history: [Fitted.Record], _ params: (Params) throws(FlowError) -> Params
  ) throws(FlowError) {
    let observed = observed.cast(to: .float32)
    guard observed.rank > 1, observed.rows > 0 else {
      throw .mismatch(
        who: "InferredPosterior", what: "observed data", expected: "rows", got: "\(observed.shape)")
    }
    let data = observed.shape.sample
    // The tree of parameters depends on shapes alone, so any numbers serve.
    let distribution = method.distribution(
      prior, embedding, reals: Key(0).normal(prior.inputDim.batched(4)),
      data: Key(0).normal(data.batched(4)))
    let isLikelihood = method.name == "likelihood"
    let (initial, logPDF, sample) = try distribution(
      Key(0), inputDim: isLikelihood ? data : prior.inputDim, contextDim: isLikelihood ? prior.inputDim : data
    )
    let params = try params(initial)
    try logPDF.boundary.check(params)
    self.init(
      method: method, prior: prior, embedding: embedding, observed: observed,
      fitted: Fitted(params: params, logPDF: logPDF, sample: sample, history: history),
      rounds: rounds)
  }
}

extension InferredPosterior.Round {
  /// The rounds of a table, or nil where it cannot be one.
  fileprivate static func list(from table: Tensor) -> [Self]? {
    let rows = (0..<table.rows).map { table[$0].doubles }
    guard rows.allSatisfy({ (0..<1e15).contains($0[0]) && (0..<1e15).contains($0[1]) }) else { return nil }
    return rows.map { Self(simulations: Int($0[0]), invalid: Int($0[1]), priorShare: $0[2]) }
  }
}
