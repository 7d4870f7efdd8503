import Distributions
import Files
import Tensors

/// The processes that share the work of a fit: each computes some shards of every batch.
///
/// ```swift
/// let ranks = Ranks(group)                             // a transport, such as MPI
/// let fitted = try ranks.run { try fit(flow, to: data, key: Key(0), batchSize: 1024) }
/// ```
///
/// All ranks run the same program on the same data. A fit inside `run` sums over the shards of a batch in the
/// order of the shards, whatever rank computed them. So all ranks have the parameters of a fit without ranks,
/// to the bit. Rank 0 reads and writes checkpoints and shows progress.
///
/// The sum goes from rank to rank: each receives the sum of the ranks before, adds its own shards, and sends
/// it on. The last one sends the result to all. The rows held out are shared too. Everything else is computed
/// by every rank: the optimizer's update, starts from data, augmentation.
///
/// An error in one rank ends `run` in all of them. A batch needs a shard per rank, see
/// ``Parallelism/shardRows(of:parameters:)``. Batch statistics, objectives that do not sum over rows and
/// private fits are refused.
public final class Ranks: Sendable {
  /// The transport.
  public let group: any RankGroup
  let state = Guarded(State())

  /// The ranks of the current task; nil outside of `run`.
  @TaskLocal public static var current: Ranks?

  struct State {
    /// The exchanges so far.
    var exchanges = 0
    /// Whether a rank's task was cancelled, as all ranks know it.
    var isCancelled = false
    /// Whether all ranks know of an error, or the transport has failed.
    var hasFailed = false
    /// Whether an exchange has not come to its end.
    var isBroken = false
  }

  /// Ranks with a transport.
  public init(_ group: any RankGroup) { self.group = group }

  /// Whether the current task is that of rank 0, or of no ranks.
  public static var isFirst: Bool { current.map { $0.group.rank == 0 } ?? true }

  /// Whether the transport has failed, so that the other ranks may not know that this one ends.
  public var isBroken: Bool { state.withLock { $0.isBroken } }

  /// Runs `body`, whose fits the ranks share. All ranks call it with the same.
  ///
  /// Throws the error of the body, or the error of the first rank whose body threw one.
  public func run<Result>(_ body: () throws -> Result) throws -> Result {
    try Ranks.$current.withValue(self) {
      try CurrentShardGroup.$value.withValue(self) {
        let result = Swift.Result { try body() }
        try end(result.map { _ in () })
        return try result.get()
      }
    }
  }

  /// Runs `body`, whose fits the ranks share, as the function above does.
  public func run<Result: Sendable>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async throws -> Result {
    try await Ranks.$current.withValue(self) {
      try await CurrentShardGroup.$value.withValue(self) {
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try end(result.map { _ in () })
        return try result.get()
      }
    }
  }

  /// Tells the others that this rank is done or has failed.
  private func end(_ result: Swift.Result<Void, any Error>) throws {
    if state.withLock({ $0.hasFailed }) { return }
    _ = try exchange(.end, result.map { Contribution { [] } })
  }

  /// The bytes that rank 0 has, in all ranks.
  func agreed(_ bytes: () throws -> [UInt8]) throws -> [UInt8] {
    let own = Swift.Result { group.rank == 0 ? try bytes() : [] }
    return try exchange(.agreement, own.map { bytes in Contribution { bytes } })
  }

  /// The number that rank 0 has, in all ranks.
  public func agreed(_ number: Int) throws -> Int {
    let bytes = try agreed { Array("\(number)".utf8) }
    return Int(String(decoding: bytes, as: UTF8.self)) ?? number
  }

  /// Throws in all ranks where one has other texts than rank 0, with the first difference.
  func compare(_ texts: [(name: String, text: String)]) throws {
    let own = texts.map { "\($0.name)\u{1F}\($0.text)" }.joined(separator: "\u{1E}")
    let rank = group.rank
    let contribution = Contribution {
      Array(own.utf8)
    } finish: { bytes in
      let first = String(decoding: bytes, as: UTF8.self)
      if rank == 0 || first == own { return bytes }
      let theirs = Dictionary(
        first.split(separator: "\u{1E}").map { part in
          let halves = part.split(separator: "\u{1F}", maxSplits: 1, omittingEmptySubsequences: false)
          return (String(halves[0]), String(halves[halves.count - 1]))
        }
      ) { first, _ in first }
      for (name, text) in texts where theirs[name] != text {
        let (a, b) = firstDifference(theirs[name] ?? "nothing", text)
        throw FlowError.mismatch(
          who: "ranks", what: "the \(name) of rank 0,", expected: a, got: "\(b) in rank \(rank)")
      }
      throw FlowError.mismatch(
        who: "ranks", what: "a run with as many aspects", expected: "in rank 0",
        got: "another in rank \(rank)")
    }
    _ = try exchange(.comparison, .success(contribution))
  }

  /// The values of all rows of a batch: each rank computes some, and all have all.
  func mapRows(_ count: Int, of sample: Shape, _ body: @Sendable (Range<Int>) throws -> Tensor) throws
    -> Tensor
  {
    let own = part(group.rank, of: count)
    let values = Swift.Result {
      try Tensors.mapRows(own.count, of: sample) { rows in
        [try body(rows.lowerBound + own.lowerBound..<rows.upperBound + own.lowerBound)]
      }[0]
    }
    let dtype = (try? values.get().dtype) ?? .float32
    let bytes = try exchange(
      .rows,
      values.map { values in
        let own = values.withBytes { Array($0) }
        return Contribution {
          own
        } finish: { [rank = group.rank] in
          rank == 0 ? $0 : $0 + own
        }
      })
    return Tensor(shape: [count], dtype: dtype) { target in
      bytes.withUnsafeBytes { target.copyMemory(from: $0) }
    }
  }

  /// The run of neighbours that a rank has among so many; the first ranks have one more.
  func part(_ rank: Int, of count: Int) -> Range<Int> {
    let (size, rest) = count.quotientAndRemainder(dividingBy: group.count)
    let start = rank * size + min(rank, rest)
    return start..<start + size + (rank < rest ? 1 : 0)
  }
}

extension Ranks: ShardGroup {
  package func shards(of count: Int) -> Range<Int> { part(group.rank, of: count) }

  package func sum(
    layout: UInt64?, doubles: Int, _ own: Swift.Result<[[UInt8]], any Error>,
    finish: (([UInt8]) -> [UInt8])?
  ) throws -> [UInt8] {
    try exchange(
      .sum, layout: layout,
      own.map { parts in
        Contribution {
          parts[0]
        } add: { [rank = group.rank] chunk, start in
          if rank == 0 { return }
          for part in parts { add(part, to: chunk, at: start, doubles: doubles) }
        }
      }.map { contribution in
        var contribution = contribution
        contribution.finish = finish
        return contribution
      })
  }
}

/// The first lines that differ in two texts, with blanks for tabs.
private func firstDifference(_ a: String, _ b: String) -> (String, String) {
  let (a, b) = (a.split(separator: "\n"), b.split(separator: "\n"))
  let same = zip(a, b).prefix { $0 == $1 }.count
  func line(_ lines: [Substring]) -> String {
    let words = (same < lines.count ? lines[same] : "nothing").split(separator: "\t")
    return words.joined(separator: " ")
  }
  return (line(a), line(b))
}

/// Adds a part's numbers to a piece of a sum that starts at a byte. The first `doubles` bytes are float64.
private func add(_ part: [UInt8], to chunk: UnsafeMutableRawBufferPointer, at start: Int, doubles: Int) {
  part.withUnsafeBytes { part in
    let middle = min(max(doubles - start, 0), chunk.count)
    func add<Number: FloatingPoint>(_ range: Range<Int>, _: Number.Type) {
      for byte in stride(from: range.lowerBound, to: range.upperBound, by: MemoryLayout<Number>.size) {
        let sum =
          chunk.loadUnaligned(fromByteOffset: byte, as: Number.self)
          + part.loadUnaligned(fromByteOffset: start + byte, as: Number.self)
        chunk.storeBytes(of: sum, toByteOffset: byte, as: Number.self)
      }
    }
    add(0..<middle, Double.self)
    add(middle..<chunk.count, Float.self)
  }
}
