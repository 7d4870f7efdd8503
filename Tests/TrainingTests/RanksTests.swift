import Bijections
import Distributions
import Foundation
import Networks
import Randomness
import Tensors
import Testing

@testable import Training

/// Fits that several ranks share. The ranks are threads here.
@Suite struct RanksTests {
  private let data = Key(5).normal([470, 2]) * 2 + 1
  /// Layers with shared values, and with leaves that not every loss reaches.
  private let flow = Flow(
    Serial(ActNorm(), AffineCoupling(MLP(hidden: [8], lastWeight: .heNormal)), InvertibleLinear()))

  /// Parameters, history and state of a fit with three batches of three shards and one of one row.
  private func fitted(
    _ flow: any Distribution, rows: Tensor? = nil, epochs: Int = 2,
    by objective: any Objective = .maximumLikelihood, evaluation: Flow? = nil,
    checkpoint: Checkpoint? = nil, stopAt: Int? = nil
  ) throws -> Fitted {
    func run(_ objective: some Objective) throws -> Fitted {
      try fit(
        flow, to: rows ?? data, by: objective, evaluation: evaluation, key: Key(3), epochs: epochs,
        batchSize: 384,
        optimizer: Chain(ClipByGlobalNorm(10), Adam(learningRate: 1e-2)),
        augment: { key, rows in rows + 0.01 * key.normal(rows.shape).cast(to: rows.dtype) },
        checkpoint: checkpoint, progress: .silent
      ) { $0.history.count == stopAt ? .stop : .proceed }
    }
    return try run(objective)
  }

  /// The results of all ranks; an error ends the test.
  private func all<Result: Sendable>(
    _ count: Int, _ body: @Sendable (Ranks) throws -> Result
  ) throws -> [Result] {
    try ThreadRanks.run(count, limit: .seconds(20)) { ranks in try ranks.run { try body(ranks) } }
      .map { try $0.get() }
  }

  @Test(arguments: [1, 2, 3], [DType.float32, .float64])
  func ranksGiveTheBitsOfOne(_ count: Int, _ dtype: DType) throws {
    let rows = data.cast(to: dtype)
    let whole = try fitted(flow, rows: rows)
    for result in try all(count, { _ in try self.fitted(flow, rows: rows) }) {
      #expect(result.params.isIdentical(to: whole.params) && result.history == whole.history)
    }
  }

  /// Nine shards that are not spread evenly, and batches with fewer shards than ranks.
  @Test(arguments: [2, 4, 5, 8]) func unevenShards(_ count: Int) throws {
    let x = Key(6).normal([1_100, 2])
    let (params, logPDF, sample) = try flow(Key(0), inputDim: 2)
    for rows in [x, x[0..<300], x[0..<1]] {
      let step = TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(1))
      let whole = try MaximumLikelihood().valueAndGradient(at: params, step)
      let judged = try MaximumLikelihood().value(step)(params)
      let shared = try all(count) { _ in
        (
          try MaximumLikelihood().valueAndGradient(at: params, step),
          try MaximumLikelihood().value(step)(params)
        )
      }
      for ((value, gradient), loss) in shared {
        #expect(value.isIdentical(to: whole.value) && gradient.isIdentical(to: whole.gradient))
        #expect(loss.isIdentical(to: judged))
      }
    }
  }

  @Test func aFitToATargetIsShared() throws {
    let target = Target("bent", inputDim: 2) { x in -0.5 * square(x - 1).sumPerRow() }
    @Sendable func run() throws -> Fitted {
      try fit(
        Flow(AffineCoupling(MLP(hidden: [4]))), to: target, by: .reverseKL(draws: 300), key: Key(2),
        iterations: 3,
        progress: .silent)
    }
    let whole = try run()
    for result in try all(3, { _ in try run() }) { #expect(result.params.isIdentical(to: whole.params)) }
  }

  /// A run goes on with another number of ranks. Rank 0 alone has the file.
  @Test func checkpointsGoOnWithOtherRanks() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let whole = try fitted(flow, epochs: 4)
    _ = try all(3) { _ in try self.fitted(flow, epochs: 4, checkpoint: Checkpoint(path), stopAt: 1) }
    _ = try all(2) { _ in try self.fitted(flow, epochs: 4, checkpoint: Checkpoint(path), stopAt: 2) }
    let last = try fitted(flow, epochs: 4, checkpoint: Checkpoint(path))
    #expect(last.history.count == 4 && last.history == whole.history)
    #expect(last.params.isIdentical(to: whole.params))
  }

  /// The texts of all ranks' errors.
  private func errors(_ count: Int, _ body: @Sendable (Ranks) throws -> Void) -> [String] {
    ThreadRanks.run(count, limit: .seconds(10)) { ranks in try ranks.run { try body(ranks) } }.map {
      if case .failure(let error) = $0 { "\(error)" } else { "none" }
    }
  }

  private struct Broken: Error, CustomStringConvertible { let description: String }

  /// An error in a shard, in a callback or before the fit ends all ranks with its message, and no rank hangs.
  @Test(arguments: [0, 1, 2], ["shard", "callback", "before", "after"])
  func anErrorEndsAllRanks(_ broken: Int, _ place: String) throws {
    struct Failing: RowObjective {
      let isBroken: Bool
      func losses(_ step: TrainingStep) throws -> RowLosses {
        let own = try MaximumLikelihood().losses(step)
        return { params, rows in
          if isBroken, step.index == 2 { throw Broken(description: "the disk is on fire") }
          return try own(params, rows)
        }
      }
    }
    let texts = errors(3) { ranks in
      let isBroken = ranks.group.rank == broken
      if place == "before", isBroken { throw Broken(description: "the disk is on fire") }
      if place == "callback" {
        _ = try fit(flow, to: data, key: Key(3), epochs: 2, batchSize: 384, progress: .silent) { _ in
          if isBroken { throw Broken(description: "the disk is on fire") }
          return .proceed
        }
      } else if place == "shard" {
        // Objectives are compared, so the broken one has the type of the others.
        _ = try fit(
          flow, to: data, by: Hidden(Failing(isBroken: isBroken)), key: Key(3), epochs: 2, batchSize: 384,
          progress: .silent)
      } else {
        _ = try fitted(flow, epochs: 1)
      }
      if place == "after", isBroken { throw Broken(description: "the disk is on fire") }
    }
    for (rank, text) in texts.enumerated() {
      #expect(text == (rank == broken ? "" : "rank \(broken): ") + "the disk is on fire")
    }
  }

  /// An objective whose description says nothing.
  private struct Hidden: RowObjective, CustomReflectable {
    let objective: any RowObjective
    init(_ objective: any RowObjective) { self.objective = objective }
    var customMirror: Mirror { Mirror(self, children: [] as [(String, Any)]) }
    func losses(_ step: TrainingStep) throws -> RowLosses { try objective.losses(step) }
  }

  @Test func differentRunsAreRefused() throws {
    func check(_ message: String, _ body: @escaping @Sendable (Int) throws -> Void) {
      let texts = errors(2) { ranks in try body(ranks.group.rank) }
      #expect(texts[1].contains(message), "\(texts)")
      #expect(texts[0] == "rank 1: " + texts[1], "\(texts)")
    }
    check("ranks: expected the data of rank 0, [470, 2]") { rank in
      _ = try fitted(flow, rows: rank == 0 ? data : data + 1)
    }
    check("ranks: expected the objective of rank 0, MaximumLikelihood") { rank in
      _ = try fitted(flow, by: rank == 0 ? .maximumLikelihood : RegularizedLikelihood(transport: 0.1))
    }
    check("have come to different points of the program") { rank in
      for _ in 0...rank { _ = try fitted(flow, epochs: 1) }
    }
  }

  @Test func thatWhichCannotBeSharedIsRefused() throws {
    func check(_ count: Int, _ message: String, _ body: @escaping @Sendable () throws -> Void) {
      #expect(errors(count) { _ in try body() } == Array(repeating: message, count: count))
    }
    check(4, "fit: expected ranks at most 3, as a batch has 3 shards; a larger batch has more, got 4") {
      _ = try fitted(flow)
    }
    check(2, "fit: expected a flow on several ranks whose rows are independent, got Flow") {
      _ = try fitted(
        Flow(Serial(BatchNorm(), ActNorm())),
        evaluation: Flow(Serial(BatchNorm(mode: .evaluation), ActNorm())))
    }
    struct Alone: Objective {
      func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
        (Tensor(0), 0 * params.learned)
      }
    }
    check(2, "fit: expected an objective on several ranks that sums over shards of rows, got Alone") {
      _ = try fitted(flow, by: Alone())
    }
  }

  /// A rank that is gone: the others end in the time that was set.
  @Test func aLostRankEndsTheOthers() throws {
    let start = ContinuousClock.now
    let results = ThreadRanks.run(3, limit: .milliseconds(300)) { ranks -> String in
      if ranks.group.rank == 1 { return "gone" }
      do { _ = try ranks.run { try fitted(flow) } } catch { return "\(error)" }
      return "done"
    }
    let texts = try results.map { try $0.get() }
    #expect(texts[1] == "gone" && ContinuousClock.now - start < .seconds(10))
    #expect(texts[2] == "rank 2: nothing came from rank 1 in 0.3 seconds", "\(texts)")
    #expect(texts[0] == "rank 0: nothing came from rank 2 in 0.3 seconds", "\(texts)")
  }

  @Test func cancellationIsAgreed() throws {
    let endings = try all(3) { ranks in
      let isTold = ranks.group.rank == 1
      return try Cancellation.$caller.withValue(.init { isTold }) { try fitted(flow, epochs: 50).ending }
    }
    #expect(endings == [.cancelled, .cancelled, .cancelled])
  }
}
