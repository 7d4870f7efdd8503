import Distributions
import Networks
import Randomness
import Tensors
import Training

/// The rounds of `infer` for observed data that were checked.
func inferred(
  simulator: Simulator, prior: SimulationPrior, observed: Tensor, by method: InferenceMethod,
  simulations count: Int, rounds: Int, embedding: Summary?, invalid treatment: InvalidSimulations, key: Key,
  epochs: Int?, optimizer: (any Optimizer)?, progress: ProgressOutput
) throws -> InferredPosterior {
  require(count > 0 && rounds > 0, "infer needs simulations and rounds, got \(count) and \(rounds)")
  var (all, records): (SimulationSet?, [InferredPosterior.Round]) = (nil, [])
  var heldOut = HeldOutRows()
  var posterior: InferredPosterior?
  for round in 0..<rounds {
    let key = key.folded(in: round)
    let (theta, share) =
      try posterior?.proposals(key.folded(in: 0), count: count)
      ?? (prior.sample(key.folded(in: 0), count: count), 1)
    let fresh = try SimulationSet(simulator, at: theta, key: key.folded(in: 1), invalid: treatment)
    try fresh.check(observed)
    let pairs = all?.joined(with: fresh) ?? fresh
    try heldOut.add(fresh.data, key: key.folded(in: 2))
    all = pairs
    records.append(.init(simulations: count, invalid: fresh.invalid, priorShare: share))
    let fitted = try pairs.fitted(
      by: method, prior, embedding, isLater: round > 0, holdingOut: heldOut.numbers, key: key.folded(in: 2),
      epochs, optimizer, progress)
    posterior = InferredPosterior(
      method: method, prior: prior, embedding: embedding, observed: observed, fitted: fitted,
      rounds: records)
  }
  guard let posterior else { fatalError("there is a round") }
  return posterior
}

/// The rows that the fits of all rounds hold out: a tenth. A row keeps its role in later rounds.
struct HeldOutRows {
  /// The numbers of the rows held out.
  private(set) var numbers: [Int] = []
  /// The number of all rows.
  private(set) var count = 0

  /// Gives the rows of a new round their roles.
  mutating func add(_ fresh: Tensor, key: Key) throws {
    let missing = max(0, (0.1 * Double(count + fresh.rows)).rounded() - Double(numbers.count))
    let own = try rowsHeldOut(of: fresh, share: missing / Double(fresh.rows), key: key)
    numbers += own.map { $0 + count }
    count += fresh.rows
  }
}

extension InferenceMethod {
  /// Observed data in float32. Throws unless they are one row of finite numbers, and for an embedding of a
  /// likelihood.
  func checked(_ observed: Tensor, _ embedding: Summary?) throws(FlowError) -> Tensor {
    guard observed.rank > 1, observed.rows == 1 else {
      throw .mismatch(
        who: "infer", what: "observed data", expected: "one row, [1] + data; trials: takes several",
        got: "\(observed.shape)")
    }
    return try checked(trials: observed, embedding)
  }

  /// Trials in float32. Throws unless they are rows of finite numbers, for several of a learned posterior,
  /// and for an embedding of a likelihood.
  func checked(trials: Tensor, _ embedding: Summary?) throws(FlowError) -> Tensor {
    let trials = trials.cast(to: .float32)
    guard trials.rank > 1, trials.rows > 0 else {
      throw .mismatch(
        who: "infer", what: "observed data", expected: "rows, [trials] + data", got: "\(trials.shape)")
    }
    if let place = trials.firstNonFinite {
      throw .notFinite(who: "infer", what: "observed data", row: place / max(trials.shape.sample.count, 1))
    }
    switch kind {
    case .likelihood where embedding != nil:
      throw .mismatch(who: "infer", what: "an embedding", expected: "none for a likelihood", got: "one")
    case .posterior where trials.rows > 1: throw Self.severalTrials(trials.rows)
    default: return trials
    }
  }

  /// The error of several trials of a learned posterior.
  static func severalTrials(_ count: Int) -> FlowError {
    .mismatch(
      who: "InferredPosterior", what: "trials",
      expected: "one for a learned posterior; give it sets of trials and an embedding such as DeepSet, or "
        + "learn a likelihood or a ratio", got: "\(count)")
  }
}

extension SimulationSet {
  /// Throws unless observed data have the shape of simulated ones.
  func check(_ observed: Tensor) throws(FlowError) {
    guard data.shape.sample == observed.shape.sample else {
      throw .mismatch(
        who: "infer", what: "observed data", expected: "rows of \(data.shape.sample)",
        got: "\(observed.shape)")
    }
  }

  /// Fits the density of a method.
  ///
  /// - Parameters:
  ///   - isLater: whether parameters were proposed from a posterior in a round before.
  ///   - heldOut: the rows held out; nil for a tenth that is drawn.
  func fitted(
    by method: InferenceMethod, _ prior: SimulationPrior, _ embedding: Summary?, isLater: Bool,
    holdingOut heldOut: [Int]? = nil, key: Key, _ epochs: Int?, _ optimizer: (any Optimizer)?,
    _ progress: ProgressOutput
  ) throws -> Fitted {
    let reals = try prior.reals(of: parameters)
    let distribution = method.distribution(prior, embedding, reals: reals, data: data)
    func run(_ rows: Tensor, _ context: Tensor, _ objective: some Objective) throws -> Fitted {
      try fit(
        distribution, to: rows, given: context, by: objective, key: key, epochs: epochs,
        optimizer: optimizer, holdingOut: heldOut, progress: progress)
    }
    func contrastive(_ atoms: Int) -> Contrastive {
      Contrastive(atoms: atoms) { try prior.uncheckedLogDensity($0) }
    }
    switch method.kind {
    case .posterior(_, .atomic(let atoms)) where isLater:
      return try run(parameters, data, contrastive(atoms))
    case .posterior: return try run(parameters, data, .maximumLikelihood)
    case .likelihood: return try run(data, reals, .maximumLikelihood)
    case .ratio(_, .contrastive(let atoms)): return try run(parameters, data, contrastive(atoms))
    case .ratio(_, .binary):
      return try run(parameters, data, BinaryContrast { try prior.uncheckedLogDensity($0) })
    }
  }
}
