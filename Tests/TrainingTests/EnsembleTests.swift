import Bijections
import Distributions
import Networks
import Randomness
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct EnsembleTests {
  private let flow = Flow(Serial(ElementwiseAffine(), AffineCoupling(MLP(hidden: [4]))))
  private let data = Key(80).normal([120, 2])

  @Test(arguments: [1, 2, 8]) func membersAreFitsOfTheirKeys(threads: Int) throws {
    let keys = Key(5).split(3)
    let fits = try Parallelism.$threads.withValue(threads) {
      try fit(flow, to: data, keys: keys, epochs: 3, batchSize: 40, progress: .silent)
    }
    #expect(fits.count == 3)
    for (key, member) in zip(keys, fits) {
      let alone = try fit(flow, to: data, key: key, epochs: 3, batchSize: 40, progress: .silent)
      #expect(member.params.isIdentical(to: alone.params) && member.history == alone.history)
    }
    #expect(!fits[0].params.isIdentical(to: fits[1].params))
    let samples = try ParameterSamples(fits)
    #expect(samples.weights.allSatisfy { abs($0 - 1.0 / 3) < 1e-15 })
    let densities = try samples.evaluate { try fits[0].logPDF($0, data) }
    #expect(try (fits[0].logPDF(samples, data) .>= densities.mean.cast(to: .float32) - 1e-5).mean().item == 1)
  }

  private final class Handle: Sendable {
    let task = Mutex<Task<[Fitted], any Error>?>(nil)
  }

  /// The members' threads have no task of their own.
  @Test func cancellationReachesAllMembers() async throws {
    let (flow, data) = (flow, data)
    let handle = Handle()
    let task = Task {
      try Parallelism.$threads.withValue(2) {
        try fit(
          flow, to: data, keys: Key(5).split(4), epochs: 100_000, batchSize: 40, patience: nil,
          progress: .silent
        ) { _, _ in
          handle.task.withLock { $0?.cancel() }
          return .proceed
        }
      }
    }
    handle.task.withLock { $0 = task }
    let fits = try await task.value
    #expect(!fits.isEmpty && fits.count <= 2 && fits.allSatisfy { $0.ending == .cancelled })
  }

  @Test func wrongEnsemblesAreRefused() throws {
    let error = #expect(throws: FlowError.self) { try fit(flow, to: data, keys: []) }
    #expect(error?.description == "fit: expected keys at least one, got none")
    #expect(throws: FlowError.self) { try fit(flow, to: Tensor(1.0), keys: [Key(0)], progress: .silent) }
    #expect(throws: FlowError.self) {
      try fit(flow, to: .nan * data, keys: Key(0).split(2), progress: .silent)
    }
  }
}
