import Dispatch
import Tensors

/// Ranks that are threads of this process. They serve tests.
package final class ThreadRanks: RankGroup {
  package let rank: Int
  package let count: Int
  private let mailboxes: Mailboxes
  private let limit: Duration

  private init(_ rank: Int, _ count: Int, _ mailboxes: Mailboxes, _ limit: Duration) {
    (self.rank, self.count, self.mailboxes, self.limit) = (rank, count, mailboxes, limit)
  }

  /// Calls the body once per rank, all at the same time, and returns the results in the order of the ranks.
  ///
  /// - Parameters:
  ///   - limit: the time after which a rank no longer waits for another.
  ///   - wrap: puts another transport around that of each rank.
  package static func run<Result: Sendable>(
    _ count: Int, limit: Duration = .seconds(60),
    wrap: @Sendable (any RankGroup) -> any RankGroup = { $0 },
    _ body: @Sendable (Ranks) throws -> Result
  ) -> [Swift.Result<Result, any Error>] {
    let mailboxes = Mailboxes()
    let results = Guarded<[Int: Swift.Result<Result, any Error>]>([:])
    let group = DispatchGroup()
    withoutActuallyEscaping(wrap) { wrap in
      withoutActuallyEscaping(body) { body in
        for rank in 0..<count {
          let thread = DispatchQueue(label: "rank \(rank)")
          thread.async(group: group) {
            let ranks = Ranks(wrap(ThreadRanks(rank, count, mailboxes, limit)))
            let result = Swift.Result { try Parallelism.$threads.withValue(1) { try body(ranks) } }
            results.withLock { $0[rank] = result }
          }
        }
        group.wait()
      }
    }
    return results.withLock { results in (0..<count).map { results[$0]! } }
  }

  package func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) {
    mailboxes.put(Array(bytes), from: self.rank, to: rank)
  }

  package func receive(into bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws {
    let end = ContinuousClock.now + limit
    while true {
      if let message = mailboxes.take(from: rank, to: self.rank) {
        require(message.count == bytes.count, "a message of \(bytes.count) bytes, got \(message.count)")
        return message.withUnsafeBytes { bytes.copyMemory(from: $0) }
      }
      if ContinuousClock.now > end {
        throw FlowError.verification(
          who: "rank \(self.rank)", message: "nothing came from rank \(rank) in \(limit)")
      }
      Processors.pause()
    }
  }
}

/// Messages that are under way, in the order of sending for each pair of ranks.
private final class Mailboxes: Sendable {
  private struct Way: Hashable { let from, to: Int }
  private let messages = Guarded<[Way: [[UInt8]]]>([:])

  func put(_ message: [UInt8], from: Int, to: Int) {
    messages.withLock { $0[Way(from: from, to: to), default: []].append(message) }
  }

  func take(from: Int, to: Int) -> [UInt8]? {
    messages.withLock { messages in
      guard let waiting = messages[Way(from: from, to: to)], !waiting.isEmpty else { return nil }
      return messages[Way(from: from, to: to)]!.removeFirst()
    }
  }
}
