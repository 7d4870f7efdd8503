import Bijections
import Distributions
import Foundation
import Networks
import Randomness
import Tensors
import Testing

@testable import Files
@testable import Training

@Suite struct CheckpointTests {
  private let data = Key(50).normal([90, 2]) * 0.5 + 1
  private let flow = Flow(Serial(Shuffle(), AffineCoupling(MLP(hidden: [6])), ActNorm()))

  private func path() -> String {
    FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString).safetensors").path
  }

  /// Nine steps an epoch, five epochs.
  private func run(
    _ checkpoint: Checkpoint? = nil, epochs: Int = 5, patience: Int? = nil, key: Key = Key(3),
    augment: @escaping @Sendable (Key, Tensor) -> Tensor = { $1 + 0.01 * $0.normal($1.shape) },
    onEpoch: (FitState) throws -> Continuation = { _ in .proceed }
  ) throws -> Fitted {
    try fit(
      flow, to: data, key: key, epochs: epochs, batchSize: 9,
      optimizer: Chain(ClipByGlobalNorm(1), Adam(learningRate: 0.01)),
      patience: .epochs(patience), augment: augment, checkpoint: checkpoint, progress: .silent,
      onEpoch: onEpoch)
  }

  private func expectSame(_ a: Fitted, _ b: Fitted) {
    #expect(a.params.isIdentical(to: b.params))
    #expect(a.history == b.history)
    #expect(a.ending == b.ending)
  }

  /// Steps counted from 1; 9 and 18 end an epoch. Call 1 of the augmentation is the start, call 2 the
  /// held-out rows.
  @Test(arguments: [1, 4, 8, 9, 10, 17, 18, 40])
  func cancelledAndResumedIsTheSameRun(step: Int) async throws {
    let whole = try run()
    let checkpoint = Checkpoint(path(), every: .steps(1_000))
    defer { try? FileManager.default.removeItem(atPath: checkpoint.path) }
    let calls = FitTests.Log<Int>()
    let interrupted = try await Task {
      try run(
        checkpoint,
        augment: { key, rows in
          calls.entries.append(1)
          if calls.entries.count == 2 + step { withUnsafeCurrentTask { $0?.cancel() } }
          return rows + 0.01 * key.normal(rows.shape)
        })
    }.value
    #expect(interrupted.ending == .cancelled)
    expectSame(try run(checkpoint), whole)
    expectSame(try run(checkpoint), whole)  // A finished run has nothing left to do.
  }

  @Test(arguments: [2, 7, 13])
  func killedBetweenCheckpointsIsTheSameRun(interval: Int) throws {
    struct Killed: Error {}
    let whole = try run()
    let checkpoint = Checkpoint(path(), every: .steps(interval))
    defer { try? FileManager.default.removeItem(atPath: checkpoint.path) }
    for epoch in 0..<4 {  // Each time killed after the first epoch that is new.
      #expect(throws: Killed.self) { try run(checkpoint, onEpoch: { _ in throw Killed() }) }
      let file = try? SafeTensors.read(checkpoint.path)
      #expect(file?.metadata["step"].map { Int($0)! } ?? 0 <= 9 * (epoch + 1))
    }
    expectSame(try run(checkpoint), whole)
  }

  /// What optimizers, statistics, weights and frozen parameters keep is in the file too.
  @Test(arguments: 0..<4) func everyStateIsKept(index: Int) throws {
    struct Killed: Error {}
    let optimizers: [any Optimizer] = [
      MovingAverage(Adam(learningRate: 0.01), decay: 0.9),
      SGD(learningRate: 0.01, momentum: 0.9, nesterov: true),
      Chain(ClipByGlobalNorm(1), Adam(learningRate: 0.01), ReduceOnPlateau(factor: 0.5, patience: 1)),
      MultiSteps(RMSProp(learningRate: 0.001), every: 4),
    ]
    let flow = Flow(Serial(BatchNorm(mode: .training), AffineCoupling(MLP(hidden: [6])), ActNorm()))
    let evaluation = Flow(Serial(BatchNorm(mode: .evaluation), AffineCoupling(MLP(hidden: [6])), ActNorm()))
    func run(_ checkpoint: Checkpoint?, dyingAt last: Int = .max) throws -> Fitted {
      try fit(
        flow, to: data, evaluation: evaluation, weights: Key(1).uniform([90]) + 0.1,
        freezing: ["bijection/2/bias"], key: Key(3), epochs: 5, batchSize: 9, optimizer: optimizers[index],
        patience: nil, checkpoint: checkpoint, progress: .silent,
        onEpoch: { epoch in
          if epoch.latest.index == last { throw Killed() }
          return .proceed
        })
    }
    let checkpoint = Checkpoint(path(), every: .steps(7))
    defer { try? FileManager.default.removeItem(atPath: checkpoint.path) }
    for epoch in [1, 3] { #expect(throws: Killed.self) { try run(checkpoint, dyingAt: epoch) } }
    expectSame(try run(checkpoint), try run(nil))
  }

  @Test func moreEpochsGoOnFromTheEnd() throws {
    let checkpoint = Checkpoint(path(), every: .minutes(60))
    defer { try? FileManager.default.removeItem(atPath: checkpoint.path) }
    _ = try run(checkpoint, epochs: 2)
    expectSame(try run(checkpoint), try run())
  }

  @Test func stoppedEarlyStaysStopped() throws {
    let checkpoint = Checkpoint(path(), every: .steps(5))
    defer { try? FileManager.default.removeItem(atPath: checkpoint.path) }
    let first = try run(checkpoint, epochs: 500, patience: 2)
    #expect(first.ending == .stoppedEarly)
    expectSame(try run(checkpoint, epochs: 500, patience: 2), first)
  }

  @Test func damagedFilesAreRefused() throws {
    let checkpoint = Checkpoint(path(), every: .steps(5))
    defer { try? FileManager.default.removeItem(atPath: checkpoint.path) }
    _ = try run(checkpoint, epochs: 1)
    let file = try SafeTensors.read(checkpoint.path)
    // The permutation is an index into memory: a file must not choose it freely.
    let damaged = file.tensors.map { name, value in
      (name: name, value: name == "params/bijection/0/permutation" ? Tensor(ints: [0, 77]) : value)
    }
    #expect(damaged.contains { $0.name == "params/bijection/0/permutation" }, "\(file.tree.outline)")
    try SafeTensors(damaged, metadata: file.metadata).write(to: checkpoint.path)
    #expect(throws: FlowError.self) { try run(checkpoint, epochs: 2) }
    // Sealed again, as someone who means it could.
    for (name, value) in [
      ("step", "x"), ("rows", "-1"), ("total", ""), ("bestLoss", "much"), ("bestIndex", "9"),
      ("notes", "a\na"), ("notes", "[\"a\"]"),
    ] {
      try FileBytes.write(
        Seal.sealed(SafeTensors(file.tensors, metadata: file.metadata.merging([name: value]) { $1 })),
        to: checkpoint.path)
      #expect(throws: FlowError.self, "\(name)") { try run(checkpoint, epochs: 2) }
    }
  }

  @Test func batchesOfAMappedFileVisitEachRowOnce() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString).npy").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try NPY.write(data, to: folder)
    let mapped = try MappedArray(folder)
    let batches = Array(mapped.batches(of: 20, key: Key(1)))
    #expect(batches.map(\.count) == [20, 20, 20, 20, 10])
    #expect(batches.flatMap { $0 }.sorted() == Array(0..<90))
    #expect(batches.flatMap { $0 } != Array(0..<90))
    #expect(Array(mapped.batches(of: 20, key: Key(1))) == batches)
    #expect(Array(mapped.batches(of: 20, key: Key(2))) != batches)
    #expect(try mapped.rows(batches[0]).isIdentical(to: data.rows(batches[0])))
  }
}
