import Bijections
import Distributions
import Files
import Tensors

/// The parts of a training run that ranks share. Without ranks they change nothing.
extension TrainingRun {
  /// Checks that the run can be shared, and that all ranks have the same.
  func beginSharing(_ state: FitState) throws {
    guard let ranks = Ranks.current else { return }
    if logPDF.traits.contains(.couplesRows) {
      throw FlowError.mismatch(
        who: who, what: "a flow on several ranks", expected: "whose rows are independent",
        got: logPDF.boundary.name)
    }
    if let shards = shared?.shards, shards < ranks.group.count {
      throw FlowError.mismatch(
        who: who, what: "ranks",
        expected: "at most \(shards), as a batch has \(shards == 1 ? "one shard" : "\(shards) shards"); "
          + "a larger batch has more",
        got: "\(ranks.group.count)")
    }
    let own = RunDescription(
      ("library version", libraryVersion), ("objective", objective), ("optimizer", optimizer),
      ("steps", [steps, length, interval, patience ?? -1]))
    try ranks.compare(
      own.aspects + (shared?.description.aspects ?? []) + [("parameters", state.fingerprint)])
  }

  /// Whether training is to end: whether a rank is told so, and all know.
  var isCancelled: Bool {
    Ranks.current.map { $0.state.withLock { $0.isCancelled } } ?? Cancellation.isRequested
  }

  /// The answer of rank 0.
  func agreed(_ answer: Bool) throws -> Bool {
    try Ranks.current.map { try $0.agreed(answer ? 1 : 0) == 1 } ?? answer
  }

  /// Calls the body, which must be a sum over shards where ranks share the run. Every hundred steps the
  /// parameters are compared.
  func sharing<Result>(_ state: FitState, _ body: () throws -> Result) throws -> Result {
    guard let ranks = Ranks.current else { return try body() }
    if state.step % 100 == 99 { try ranks.compare([("parameters", state.fingerprint)]) }
    let before = ranks.state.withLock { $0.exchanges }
    let result = try body()
    if ranks.state.withLock({ $0.exchanges }) == before {
      throw FlowError.mismatch(
        who: who, what: "an objective on several ranks", expected: "that sums over shards of rows",
        got: "\(type(of: objective))")
    }
    return result
  }

  /// The state in the checkpoint, which rank 0 reads; nil where there is none.
  func savedState(like fresh: FitState) throws -> FitState? {
    guard let ranks = Ranks.current else { return try keeper?.saved(like: fresh) }
    let bytes = try ranks.agreed { try keeper?.savedBytes() ?? [] }
    return bytes.isEmpty ? nil : try keeper?.state(in: bytes, like: fresh)
  }
}

extension FitState {
  /// A short text that differs where the step or a parameter does.
  fileprivate var fingerprint: String {
    "step \(step) "
      + params.leaves.map { String(crc32($0.withBytes { Array($0) }), radix: 16) }.joined(separator: " ")
  }
}

extension RowSource {
  /// A short text of shape, dtype and up to a thousand rows at equal distances.
  var sampledFingerprint: String {
    get throws(FlowError) {
      let step = max(1, shape[0] / 1_000)
      return "\(shape) \(try rows(Array(stride(from: 0, to: shape[0], by: step))).fingerprint)"
    }
  }
}
