import Foundation
import Testing

@testable import Tensors

/// Threads that share work: each piece is done once, whoever asks and however often.
@Suite struct WorkersTests {
  private let workers = Workers()

  /// The number of times that each piece was done.
  private final class Tally: Sendable {
    private let counts: Guarded<[Int]>
    init(_ pieces: Int) { counts = Guarded(Array(repeating: 0, count: pieces)) }
    func note(_ piece: Int) { counts.withLock { $0[piece] += 1 } }
    var isOnceEach: Bool { counts.withLock { $0.allSatisfy { $0 == 1 } } }
  }

  @Test(arguments: [0, 1, 2, 3, 64]) func everyPieceIsDoneOnce(_ pieces: Int) {
    let tally = Tally(pieces)
    workers.perform(pieces) { tally.note($0) }
    #expect(tally.isOnceEach)
  }

  /// Small jobs come before the workers sleep, later ones after it.
  @Test func workersAreWokenAgain() {
    for pause in [0, 0, 1, 30, 0, 30] {
      for _ in 0..<(pause > 0 ? 3 : 500) {
        let tally = Tally(3)
        workers.perform(3) { tally.note($0) }
        #expect(tally.isOnceEach)
        for _ in 0..<pause { Processors.pause() }
      }
    }
  }

  /// A job that outlasts the caller's share is waited for.
  @Test func theCallEndsAfterTheLastPiece() {
    let tally = Tally(2)
    workers.perform(2) { piece in
      if piece == 1 { for _ in 0..<100 { Processors.pause() } }
      tally.note(piece)
    }
    #expect(tally.isOnceEach)
  }

  @Test func callsWithinCallsAndFromOtherThreads() {
    let tally = Tally(8 * 4 * 5)
    DispatchQueue.concurrentPerform(iterations: 8) { caller in
      workers.perform(4) { i in
        workers.perform(5) { j in tally.note((caller * 4 + i) * 5 + j) }
      }
    }
    #expect(tally.isOnceEach)
  }

  /// Pieces of a tenth of a millisecond meet a second thread before long.
  @Test(.enabled(if: Processors.count > 1)) func anotherThreadTakesPart() {
    let threads = Guarded(Set<UInt>())
    for _ in 0..<100_000 where threads.withLock({ $0.count }) < 2 {
      workers.perform(2) { _ in
        threads.withLock { _ = $0.insert(UInt(bitPattern: "\(pthread_self())".hashValue)) }
        Processors.pause()
      }
    }
    #expect(threads.withLock { $0.count } > 1)
  }
}
