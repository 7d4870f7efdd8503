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
    try savedBytes().map { (bytes) throws(FlowError) in try state(in: bytes, like: fresh) }
  }

  /// The state in the bytes of a file.
  func state(in bytes: [UInt8], like fresh: FitState) throws(FlowError) -> FitState {
    try state(in: SafeTensors.parse(bytes: bytes, source: checkpoint.path), like: fresh)
  }

  /// The bytes of the file, which is this run's; nil where there is no file.
  func savedBytes() throws(FlowError) -> [UInt8]? {
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
    return bytes
  }

  private func wrong(_ message: String) -> FlowError {
    .file(path: checkpoint.path, row: nil, column: nil, message: message)
  }

  private func state(in file: SafeTensors, like fresh: FitState) throws(FlowError) -> FitState {
    func tree(_ name: String, like template: Params) throws(FlowError) -> Params {
      let (saved, own) = (file.tree(under: name), template)
      if let difference = RunDescription.firstDifference(saved.leafTexts(name), own.leafTexts(name)) {
        throw wrong("holds a checkpoint of another run, \(difference)")
      }
      return try file.tree(under: name, like: template, who: checkpoint.path)
    }
    func number<Number: LosslessStringConvertible>(_ name: String) throws(FlowError) -> Number {
      if let number = file.metadata[name].flatMap(Number.init) { return number }
      throw wrong("expected a number under \(name), got \(file.metadata[name] ?? "none")")
    }
    var state = fresh
    state.params = try tree("params", like: fresh.params)
    state.optimizer = try tree("optimizer", like: fresh.optimizer)
    state.lastGood = try tree("lastGood", like: fresh.params)
    (state.step, state.rows) = (try number("step"), try number("rows"))
    (state.loss, state.total) = (try number("loss"), try number("total"))
    if file.metadata["bestIndex"] != nil {
      state.best = .init(
        loss: try number("bestLoss"), params: try tree("best", like: fresh.params),
        index: try number("bestIndex"))
    }
    var notes: [String] = []
    if let text = file.metadata["notes"] {
      guard case .array(let names)? = try? JSON(parsing: Array(text.utf8)) else {
        throw wrong("expected the names of notes as an array, got \(text)")
      }
      notes = names.compactMap { if case .string(let name) = $0 { name } else { nil } }
    }
    if let table = file["history"] {
      guard let history = Fitted.Record.list(from: table, notes: notes) else {
        throw wrong("expected a history of \(6 + notes.count) numbers per record, got \(table.shape)")
      }
      state.history = history
    }
    // −1 stands for the initial parameters.
    let (positions, records) = (0..<1 << 48, -1..<state.history.count)
    guard positions.contains(state.step), positions.contains(state.rows),
      state.best.map({ records.contains($0.index) }) ?? true
    else { throw wrong("expected a position in the run, got step \(state.step), \(state.rows) rows") }
    return state
  }

  /// Whether it is time to write a state.
  func isDue(_ state: FitState) -> Bool {
    switch checkpoint.interval {
    case .steps(let count): state.step % count == 0
    case .minutes(let minutes): (ContinuousClock.now - latest).seconds >= minutes * 60
    }
  }

  /// Writes the state.
  mutating func save(_ state: FitState) throws(FlowError) {
    let numbers = [
      "step": "\(state.step)", "rows": "\(state.rows)", "loss": "\(state.loss)", "total": "\(state.total)",
    ]
    var metadata = description.metadata.merging(numbers) { $1 }
    metadata["swift-flows"] = libraryVersion
    var trees = [("params", state.params), ("optimizer", state.optimizer), ("lastGood", state.lastGood)]
    if let best = state.best {
      metadata["bestLoss"] = "\(best.loss)"
      metadata["bestIndex"] = "\(best.index)"
      trees.append(("best", best.params))
    }
    if !state.history.isEmpty {
      let notes = Set(state.history.flatMap(\.notes.keys)).sorted()
      metadata["notes"] = JSON.strings(notes).text
      trees.append(("history", .frozen(Fitted.Record.table(of: state.history, notes: notes))))
    }
    try FileBytes.write(
      Seal.sealed(SafeTensors(trees: trees, metadata: metadata)), to: checkpoint.path, called: "checkpoint",
      durably: true, temporary: checkpoint.path + ".partial")
    latest = .now
  }
}

extension Fitted.Record {
  /// A row per record: index, steps, training and validation loss, gradient norm, whether it is best, and the
  /// notes; NaN stands for none.
  package static func table(of history: [Fitted.Record], notes: [String]) -> Tensor {
    let numbers = history.flatMap { record -> [Double] in
      [
        Double(record.index), Double(record.steps), record.trainingLoss, record.validationLoss ?? .nan,
        record.gradientNorm, record.isBest ? 1 : 0,
      ] + notes.map { record.notes[$0] ?? .nan }
    }
    return Tensor(doubles: numbers, shape: [history.count, 6 + notes.count])
  }

  /// The records of a table, or nil where it cannot be one.
  package static func list(from table: Tensor, notes: [String]) -> [Fitted.Record]? {
    guard table.rank == 2, table.shape[1] == 6 + notes.count, table.dtype == .float64 else { return nil }
    let entries = (0..<table.rows).map { table[$0].doubles }
    guard entries.enumerated().allSatisfy({ $1[0] == Double($0) && (0..<1e15).contains($1[1]) }) else {
      return nil
    }
    return entries.map { entry in
      let noted = zip(notes, entry[6...]).filter { !$1.isNaN }
      return Fitted.Record(
        index: Int(entry[0]), steps: Int(entry[1]), trainingLoss: entry[2],
        validationLoss: entry[3].isNaN ? nil : entry[3], isBest: entry[5] == 1, gradientNorm: entry[4],
        notes: Dictionary(noted) { $1 })
    }
  }
}

extension Params {
  /// A line per leaf: its path below a name, its shape and its dtype, as `RunDescription` compares them.
  fileprivate func leafTexts(_ name: String) -> String {
    var lines: [String] = []
    forEach { path, leaf, _ in
      lines.append("\(path.isEmpty ? name : "\(name)/\(path)"):\t\(leaf.shape) \(leaf.dtype)")
    }
    return lines.joined(separator: "\n")
  }
}
