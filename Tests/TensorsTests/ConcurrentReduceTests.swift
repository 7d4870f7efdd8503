import Foundation
import Testing

@testable import Tensors

/// Sums over shards: a loop's order, few results at once, the first error.
@Suite struct ConcurrentReduceTests {
  /// Results alive, and the most there have been.
  private final class Census: Sendable {
    let counts = Guarded((now: 0, most: 0))
    func enter() { counts.withLock { ($0.now, $0.most) = ($0.now + 1, max($0.most, $0.now + 1)) } }
    func leave() { counts.withLock { $0.now -= 1 } }
  }
  private final class Part: Sendable {
    let text: String
    let census: Census
    init(_ text: String, _ census: Census) {
      (self.text, self.census) = (text, census)
      census.enter()
    }
    deinit { census.leave() }
  }

  /// The first shard of each pair takes much longer, so others run ahead of it as far as they may.
  @Test(arguments: [1, 2, 3]) func theOrderIsALoopsAndFewResultsWait(_ threads: Int) {
    let census = Census()
    let whole = Parallelism.$threads.withValue(threads) {
      concurrentReduce(12) { i in
        if i % 4 == 0 { for k in 0..<200 { _ = Tensor.ones([1000]) * Double(k) } }
        return Part(" \(i)", census)
      } combine: { sum, part in
        sum = Part(sum.text + part.text, census)
      }
    }
    #expect(whole.text == (0..<12).map { " \($0)" }.joined())
    // The sum, its successor while they are combined, and one part a thread and one more.
    #expect(census.counts.withLock { $0.most } <= threads + 3)
  }

  @Test func theFirstErrorInOrderIsThrown() {
    struct Wrong: Error, Equatable { let position: Int }
    for threads in [1, 2, 3] {
      Parallelism.$threads.withValue(threads) {
        #expect(throws: Wrong(position: 3)) {
          try concurrentReduce(9) { i in
            if i >= 3 { throw Wrong(position: i) }
            return i
          } combine: {
            $0 += $1
          }
        }
      }
    }
  }

  /// Calls run at the same time only where each has its threads, and share them out.
  @Test(arguments: [(1, 1, 1), (2, 2, 2), (8, 2, 2), (8, 16, 8), (9, 4, 4), (64, 1, 12)])
  func callsShareTheThreads(_ threads: Int, _ each: Int, _ inside: Int) throws {
    let found = try Parallelism.$threads.withValue(threads) {
      try concurrentMap(5, threadsEach: each) { i, isAlone in
        "\(i) \(Parallelism.threads!) \(isAlone)"
      }
    }
    let isAlone = threads / each < 2
    #expect(found == (0..<5).map { "\($0) \(inside) \(isAlone)" })
  }

  #if os(Linux)
    /// A launcher binds a process to some processors. To see this fail, run the test under `taskset -c 0`.
    @Test func boundProcessors() throws {
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
      let mask = try #require(status.first { $0.hasPrefix("Cpus_allowed:") }).dropFirst(13)
      let count = mask.compactMap(\.hexDigitValue).reduce(0) { $0 + $1.nonzeroBitCount }
      #expect(Processors.count == count)
    }
  #endif
}
