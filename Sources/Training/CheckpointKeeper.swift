import Files
import Tensors

/// Writes the states of a run to its checkpoint, and finds the one to go on from.
struct CheckpointKeeper {
  private let checkpoint: Checkpoint
  private let description: RunDescription
  private var latest = ContinuousClock.now

  init(_ checkpoint: Checkpoint, _ description: RunDescription) {
    (self.checkpoint, self.description) = (checkpoint, description)
  }

  /// The state in the file, or nil where there is no file.
  ///
  /// Throws `FlowError.file` for a damaged file, a file of another run, or a file that is no checkpoint.
  func saved(like fresh: FitState) throws(FlowError) -> FitState? {
    guard FileBytes.exists(checkpoint.path) else { return nil }
    let bytes = try FileBytes.read(checkpoint.path)
    let file = try SafeTensors.parse(bytes: bytes, source: checkpoint.path)
    guard Seal.isIntact(bytes) else {
      throw wrong(
        file.metadata.keys.contains { $0.hasPrefix("run: ") }
          ? "is damaged: its checksum is not that of its content"
          : "is no checkpoint that describes its run, as those of earlier versions do not: "
            + "give its params, by SafeTensors.tree(under:like:), to fit as start, or remove it to start anew"
      )
    }
    if let difference = description.firstDifference(to: file.metadata) {
      throw wrong("holds a checkpoint of another run, \(difference)")
    }
    return try state(in: file, like: fresh)
  }

  private func wrong(_ message: String) -> FlowError {
    .file(path: checkpoint.path, row: nil, column: nil, message: message)
  }

  private func state(in file: SafeTensors, like fresh: FitState) throws(FlowError) -> FitState {
    func tree(_ name: String, like template: Params) throws(FlowError) -> Params {
      if let difference = file.firstDifference(under: name, to: template) {
        throw wrong("holds a checkpoint of another run, \(difference)")
      }
      return try file.tree(under: name, like: template, who: checkpoint.path)
    }
    func number<Number: LosslessStringConvertible>(_ name: String, _: Number.Type) throws(FlowError) -> Number
    {
      if let number = file.metadata[name].flatMap(Number.init) { return number }
      throw wrong("expected a number under \(name), got \(file.metadata[name] ?? "none")")
    }
    var state = fresh
    state.params = try tree("params", like: fresh.params)
    state.optimizer = try tree("optimizer", like: fresh.optimizer)
    state.lastGood = try tree("lastGood", like: fresh.params)
    (state.step, state.rows) = (try number("step", Int.self), try number("rows", Int.self))
    (state.loss, state.total) = (try number("loss", Double.self), try number("total", Double.self))
    if file.metadata["bestIndex"] != nil {
      state.best = .init(
        loss: try number("bestLoss", Double.self), params: try tree("best", like: fresh.params),
        index: try number("bestIndex", Int.self))
    }
    let notes = (file.metadata["notes"] ?? "").split(separator: "\n").map(String.init)
    if let table = file["history"] {
      guard let history = Fitted.Record.list(from: table, notes: notes) else {
        throw wrong("expected a history of \(6 + notes.count) numbers per record, got \(table.shape)")
      }
      state.history = history
    }
    let (positions, records) = (0..<1 << 48, state.history.indices)
    guard positions.contains(state.step), positions.contains(state.rows),
      state.best.map({ records.contains($0.index) }) ?? true
    else { throw wrong("expected a position in the run, got step \(state.step), \(state.rows) rows") }
    return state
  }

  /// Writes the state if it is time to.
  mutating func saveIfDue(_ state: FitState) throws(FlowError) {
    switch checkpoint.interval {
    case .steps(let count): if state.step % count == 0 { try save(state) }
    case .minutes(let minutes):
      if (ContinuousClock.now - latest).seconds >= minutes * 60 { try save(state) }
    }
  }

  /// Writes the state.
  mutating func save(_ state: FitState) throws(FlowError) {
    var metadata = description.metadata
    metadata["swift-flows"] = libraryVersion
    metadata["step"] = "\(state.step)"
    metadata["rows"] = "\(state.rows)"
    metadata["loss"] = "\(state.loss)"
    metadata["total"] = "\(state.total)"
    var trees = [("params", state.params), ("optimizer", state.optimizer), ("lastGood", state.lastGood)]
    if let best = state.best {
      metadata["bestLoss"] = "\(best.loss)"
      metadata["bestIndex"] = "\(best.index)"
      trees.append(("best", best.params))
    }
    if !state.history.isEmpty {
      let notes = Set(state.history.flatMap(\.notes.keys)).sorted()
      metadata["notes"] = notes.joined(separator: "\n")
      trees.append(("history", .frozen(Fitted.Record.table(of: state.history, notes: notes))))
    }
    try FileBytes.write(
      Seal.sealed(SafeTensors(trees: trees, metadata: Seal.unsealed(metadata))), to: checkpoint.path,
      called: "checkpoint", durably: true, temporary: checkpoint.path + ".partial")
    latest = .now
  }
}

extension Fitted.Record {
  /// A row per record: index, steps, training and validation loss, gradient norm, whether it is best, and the
  /// notes; NaN stands for none.
  static func table(of history: [Fitted.Record], notes: [String]) -> Tensor {
    let numbers = history.flatMap { record -> [Double] in
      [
        Double(record.index), Double(record.steps), record.trainingLoss, record.validationLoss ?? .nan,
        record.gradientNorm, record.isBest ? 1 : 0,
      ] + notes.map { record.notes[$0] ?? .nan }
    }
    return Tensor(doubles: numbers, shape: [history.count, 6 + notes.count])
  }

  /// The records of a table, or nil where it cannot be one.
  static func list(from table: Tensor, notes: [String]) -> [Fitted.Record]? {
    guard table.rank == 2, table.shape[1] == 6 + notes.count, table.dtype == .float64 else { return nil }
    var records: [Fitted.Record] = []
    for row in 0..<table.rows {
      let entry = table[row].doubles
      guard entry[0] == Double(row), entry[1] >= 0, entry[1] < 1e15 else { return nil }
      let noted = zip(notes, entry[6...]).filter { !$1.isNaN }.map { ($0, $1) }
      records.append(
        Fitted.Record(
          index: row, steps: Int(entry[1]), trainingLoss: entry[2],
          validationLoss: entry[3].isNaN ? nil : entry[3], isBest: entry[5] == 1, gradientNorm: entry[4],
          notes: Dictionary(noted) { $1 }))
    }
    return records
  }
}

extension SafeTensors {
  /// The first difference between the tensors below a name and a tree's leaves, as a phrase; nil where there
  /// is none.
  fileprivate func firstDifference(under root: String, to template: Params) -> String? {
    var saved: [String: Tensor] = [:]
    for (name, value) in tensors where name == root || name.hasPrefix(root + "/") { saved[name] = value }
    var difference: String?
    template.forEach { path, leaf, _ in
      let name = path.isEmpty ? root : "\(root)/\(path)"
      let value = saved.removeValue(forKey: name)
      if difference != nil || (value?.shape == leaf.shape && value?.dtype == leaf.dtype) { return }
      let text = value.map { "\($0.shape) \($0.dtype)" } ?? "nothing"
      difference = "\(name): \(text) in the file, \(leaf.shape) \(leaf.dtype) now"
    }
    return difference ?? saved.keys.min().map { "\($0): \(saved[$0]!.shape) in the file, nothing now" }
  }
}
