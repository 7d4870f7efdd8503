import Files
import Tensors

/// Where `fit` keeps what it needs to go on after an interruption, and how often.
///
/// ```swift
/// let fitted = try fit(flow, to: data, key: Key(0), checkpoint: Checkpoint("run.safetensors", every: .minutes(5)))
/// ```
///
/// The first run writes the file, a later one with the same arguments finds it there and goes on: with the same bits as a
/// run without interruption. It is written every so often, when the task is cancelled, and at the end; each time whole or
/// not at all, whatever kills the process. To start anew, remove the file.
///
/// The file is a ``SafeTensors`` of the trees `params`, `optimizer`, `lastGood` and `best`, each epoch's losses in `history`,
/// and the position in the data. Its `params` load into the same architecture like those of any file. What cannot be
/// compared (the objective, the optimizer's settings, an augmentation) is the caller's to keep.
public struct Checkpoint: Sendable {
  /// How often to write.
  public enum Interval: Sendable, Hashable {
    /// Each time so many steps are done.
    case steps(Int)
    /// When so many minutes have gone since the last time.
    case minutes(Double)
  }

  /// The file.
  public let path: String
  /// How often it is written.
  public let interval: Interval

  /// A checkpoint in a file.
  ///
  /// - Precondition: a positive interval.
  public init(_ path: String, every interval: Interval = .minutes(5)) {
    let isPositive =
      switch interval {
      case .steps(let count): count > 0
      case .minutes(let minutes): minutes > 0
      }
    require(isPositive, "a checkpoint is written every positive interval, got \(interval)")
    (self.path, self.interval) = (path, interval)
  }
}

/// Everything that a training run is between two steps.
struct FitState {
  var params, optimizer, lastGood: Params
  var best: (loss: Double, params: Params, epoch: Int)?
  var history: [Fitted.Epoch] = []
  var step = 0
  /// The current epoch, the number of its rows that are done, and the sum of their losses.
  var epoch = 0
  var row = 0
  var total = 0.0
}

/// Writes a run's states, and finds the one to go on from.
struct CheckpointKeeper {
  private let checkpoint: Checkpoint
  /// What makes a run the same run.
  private let identity: [String: String]
  private var latest = ContinuousClock.now

  init(_ checkpoint: Checkpoint, identity: [String: String]) {
    (self.checkpoint, self.identity) = (checkpoint, identity)
  }

  /// The state in the file, or nil where there is no file.
  ///
  /// Throws `FlowError.structure` with both trees for another architecture or optimizer, `.mismatch` for another run.
  func saved(like fresh: FitState) throws(FlowError) -> FitState? {
    guard FileBytes.exists(checkpoint.path) else { return nil }
    let file = try SafeTensors.read(checkpoint.path)
    let who = "fit, going on from \(checkpoint.path)"
    func tree(_ name: String, like template: Params) throws(FlowError) -> Params {
      try file.tree(under: name, like: template, who: "\(who): \(name)")
    }
    var state = FitState(
      params: try tree("params", like: fresh.params),
      optimizer: try tree("optimizer", like: fresh.optimizer),
      lastGood: try tree("lastGood", like: fresh.lastGood))
    for (what, expected) in identity.sorted(by: { $0.key < $1.key }) where file.metadata[what] != expected {
      throw .mismatch(who: who, what: what, expected: expected, got: file.metadata[what] ?? "none")
    }
    func number<Number: LosslessStringConvertible>(_ name: String, _ type: Number.Type) throws(FlowError)
      -> Number
    {
      guard let number = Number(file.metadata[name] ?? "") else {
        throw .mismatch(who: who, what: name, expected: "a number", got: file.metadata[name] ?? "none")
      }
      return number
    }
    state.step = try number("step", Int.self)
    state.epoch = try number("epoch", Int.self)
    state.row = try number("row", Int.self)
    state.total = try number("total", Double.self)
    guard state.epoch >= 0, state.row >= 0, state.step >= 0 else {
      throw .mismatch(
        who: who, what: "a position", expected: "not negative", got: "\(state.epoch), \(state.row)")
    }
    if file.metadata["bestEpoch"] != nil {
      state.best = (
        try number("bestLoss", Double.self), try tree("best", like: fresh.params),
        try number("bestEpoch", Int.self)
      )
    }
    state.history =
      try file["history"].map { (table) throws(FlowError) in
        try Fitted.Epoch.list(from: table, who: who)
      } ?? []
    return state
  }

  /// Writes the state if it is time to.
  mutating func saveIfDue(_ step: Int, _ state: () -> FitState) throws(FlowError) {
    switch checkpoint.interval {
    case .steps(let count): if step % count == 0 { try save(state()) }
    case .minutes(let minutes):
      if (ContinuousClock.now - latest).seconds >= minutes * 60 { try save(state()) }
    }
  }

  /// Writes the state.
  mutating func save(_ state: FitState) throws(FlowError) {
    var metadata = identity
    metadata["swift-flows"] = libraryVersion
    metadata["step"] = "\(state.step)"
    metadata["epoch"] = "\(state.epoch)"
    metadata["row"] = "\(state.row)"
    metadata["total"] = "\(state.total)"
    var trees = [("params", state.params), ("optimizer", state.optimizer), ("lastGood", state.lastGood)]
    if let best = state.best {
      metadata["bestLoss"] = "\(best.loss)"
      metadata["bestEpoch"] = "\(best.epoch)"
      trees.append(("best", best.params))
    }
    if !state.history.isEmpty { trees.append(("history", .frozen(Fitted.Epoch.table(of: state.history)))) }
    try FileBytes.write(
      SafeTensors(trees: trees, metadata: metadata).bytes, to: checkpoint.path, called: "checkpoint",
      durably: true, temporary: checkpoint.path + ".partial")
    latest = .now
  }
}

extension Fitted.Epoch {
  /// A row an epoch: index, steps, training loss, validation loss or NaN, 1 where it is the best so far.
  static func table(of history: [Fitted.Epoch]) -> Tensor {
    let numbers = history.flatMap { epoch -> [Double] in
      [
        Double(epoch.index), Double(epoch.steps), epoch.trainingLoss, epoch.validationLoss ?? .nan,
        epoch.isBest ? 1 : 0,
      ]
    }
    return Tensor(doubles: numbers, shape: [history.count, 5])
  }

  static func list(from table: Tensor, who: String) throws(FlowError) -> [Fitted.Epoch] {
    let numbers = table.doubles
    let counts = stride(from: 0, to: numbers.count, by: 5).flatMap {
      numbers[$0..<min($0 + 2, numbers.count)]
    }
    guard table.rank == 2, table.shape[1] == 5, table.dtype == .float64,
      counts.allSatisfy({ $0 >= 0 && $0 < 1e15 })
    else {
      throw .mismatch(who: who, what: "history", expected: "[epochs, 5] float64", got: "\(table.shape)")
    }
    return (0..<table.rows).map { row in
      let entry = numbers[row * 5..<row * 5 + 5].map { $0 }
      return Fitted.Epoch(
        index: Int(entry[0]), steps: Int(entry[1]), trainingLoss: entry[2],
        validationLoss: entry[3].isNaN ? nil : entry[3], isBest: entry[4] == 1)
    }
  }
}

extension Tensor {
  /// A short text that differs where shape, dtype or values differ: shape, dtype and a checksum.
  var fingerprint: String { "\(shape) \(dtype) \(String(crc32(withBytes { Array($0) }), radix: 16))" }
}
