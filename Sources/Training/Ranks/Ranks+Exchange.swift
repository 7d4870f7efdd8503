import Tensors

/// The part that a rank has in an exchange.
struct Contribution {
  /// The bytes that rank 0 starts with.
  let first: () throws -> [UInt8]
  /// Adds to a piece of the bytes that came from the rank before, and starts at a byte. It keeps the length.
  var add: (_ piece: UnsafeMutableRawBufferPointer, _ start: Int) -> Void = { _, _ in }
  /// Changes the bytes as a whole, before they go on.
  var finish: (([UInt8]) throws -> [UInt8])?

  init(
    _ first: @escaping () throws -> [UInt8],
    add: @escaping (UnsafeMutableRawBufferPointer, Int) -> Void = { _, _ in },
    finish: (([UInt8]) throws -> [UInt8])? = nil
  ) {
    (self.first, self.add, self.finish) = (first, add, finish)
  }
}

/// The kind of an exchange. All ranks come to the same kinds in the same order.
enum ExchangeKind: UInt32 { case sum, rows, agreement, comparison, end }

/// The first 32 bytes of each message: a kind, a mark of an error, and the length of the rest.
private struct Header {
  var kind: UInt32
  var isFailure = false
  var isCancelled: Bool
  var layout: UInt64 = 0
  var count = 0
  static let size = 32

  var bytes: [UInt8] {
    var first = UInt64(kind)
    if isFailure { first |= 1 << 32 }
    if isCancelled { first |= 1 << 33 }
    let words: [UInt64] = [first, layout, UInt64(count), 0].map(\.littleEndian)
    return words.withUnsafeBytes { Array($0) }
  }

  init(kind: UInt32, isCancelled: Bool) { (self.kind, self.isCancelled) = (kind, isCancelled) }

  init(_ bytes: [UInt8]) {
    let words = bytes.withUnsafeBytes { bytes in
      (0..<3).map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)) }
    }
    kind = UInt32(truncatingIfNeeded: words[0])
    (isFailure, isCancelled) = (words[0] >> 32 & 1 == 1, words[0] >> 33 & 1 == 1)
    (layout, count) = (words[1], Int(words[2]))
  }
}

extension Ranks {
  /// One exchange: bytes go from rank 0 to the last, each of which contributes, and from there to all.
  ///
  /// An error travels in their place. So every exchange ends in all ranks, and all of them know of the first
  /// error. A rank that has failed elsewhere takes part in the next exchange with its error.
  func exchange(
    _ kind: ExchangeKind, layout: UInt64? = nil, _ own: Result<Contribution, any Error>
  ) throws -> [UInt8] {
    state.withLock { ($0.exchanges, $0.isBroken) = ($0.exchanges + 1, true) }
    do {
      var problem: (any Error)?
      var contribution: Contribution?
      do { contribution = try own.get() } catch { problem = error }
      let (header, payload) = try up(kind, layout, contribution, &problem)
      let (last, result) = try down(header, payload)
      state.withLock { ($0.isCancelled, $0.isBroken) = ($0.isCancelled || last.isCancelled, false) }
      guard last.isFailure else { return result }
      // The error of this rank is thrown as it is. The first one of another rank comes as text.
      if let problem { throw problem }
      let text = String(decoding: result, as: UTF8.self).split(separator: "\n", maxSplits: 1)
      throw FlowError.verification(who: "rank \(text[0])", message: String(text.last ?? ""))
    } catch {
      state.withLock { $0.hasFailed = true }
      throw error
    }
  }

  /// From rank to rank: returns the header and the bytes with the contributions of the ranks up to this one.
  private func up(
    _ kind: ExchangeKind, _ layout: UInt64?, _ contribution: Contribution?, _ problem: inout (any Error)?
  ) throws -> (Header, [UInt8]) {
    var header = Header(kind: kind.rawValue, isCancelled: Cancellation.isRequested)
    header.layout = layout ?? 0
    var (payload, failure): ([UInt8], [UInt8]?) = ([], nil)
    let (rank, hasNext) = (group.rank, group.rank < group.count - 1)
    if rank == 0 {
      if let contribution {
        do {
          payload = try contribution.first()
          payload = try contribution.finish?(payload) ?? payload
        } catch { problem = error }
      }
    } else {
      let before = Header(try received(Header.size, from: rank - 1))
      header.isCancelled = header.isCancelled || before.isCancelled
      if before.isFailure {
        failure = try received(before.count, from: rank - 1)
      } else {
        if problem == nil, before.kind != kind.rawValue {
          problem = FlowError.verification(
            who: "ranks",
            message: "ranks \(rank - 1) and \(rank) have come to different points of the program")
        }
        if problem == nil, let layout, layout != before.layout {
          problem = FlowError.verification(
            who: "ranks", message: "shards of ranks \(rank - 1) and \(rank) have different parameters")
        }
        if layout == nil { header.layout = before.layout }
        // Pieces go on at once where nothing has to see them as a whole.
        let goesOn = problem == nil && contribution?.finish == nil && hasNext
        if goesOn {
          header.count = before.count
          try send(header.bytes, to: rank + 1)
        }
        payload = [UInt8](repeating: 0, count: before.count)
        try payload.withUnsafeMutableBytes { payload in
          for piece in pieces(payload.count) {
            let bytes = UnsafeMutableRawBufferPointer(rebasing: payload[piece])
            try group.receive(into: bytes, from: rank - 1)
            if problem == nil { contribution?.add(bytes, piece.lowerBound) }
            if goesOn { try group.send(UnsafeRawBufferPointer(bytes), to: rank + 1) }
          }
        }
        if goesOn { return (header, payload) }
        if problem == nil, let finish = contribution?.finish {
          do { payload = try finish(payload) } catch { problem = error }
        }
      }
    }
    if failure == nil, let problem { failure = Array("\(rank)\n\(problem)".utf8) }
    if let failure { (header.isFailure, payload) = (true, failure) }
    header.count = payload.count
    if hasNext {
      try send(header.bytes, to: rank + 1)
      try send(header, payload, to: rank + 1)
    }
    return (header, payload)
  }

  /// From the last rank to all, along a binomial tree.
  private func down(_ header: Header, _ payload: [UInt8]) throws -> (Header, [UInt8]) {
    let (count, last) = (group.count, group.count - 1)
    // Places in the tree: 0 is the last rank.
    let place = last - group.rank
    var (header, payload) = (header, payload)
    var bit = 1
    while bit < count && place & bit == 0 { bit <<= 1 }
    let parent = last - (place - bit)
    if place > 0 {
      header = Header(try received(Header.size, from: parent))
      payload = [UInt8](repeating: 0, count: header.count)
    }
    var children: [Int] = []
    var step = bit >> 1
    while step > 0 {
      if place + step < count { children.append(last - (place + step)) }
      step >>= 1
    }
    for child in children { try send(header.bytes, to: child) }
    try payload.withUnsafeMutableBytes { payload in
      for piece in header.isFailure ? [0..<payload.count] : pieces(payload.count) {
        let bytes = UnsafeMutableRawBufferPointer(rebasing: payload[piece])
        if place > 0 { try group.receive(into: bytes, from: parent) }
        for child in children { try group.send(UnsafeRawBufferPointer(bytes), to: child) }
      }
    }
    return (header, payload)
  }

  /// The pieces in which so many bytes travel.
  ///
  /// A chain of P ranks takes (P + n)(l + c/B) for n = G/c pieces of c bytes, least for c² = G l B / P.
  /// The product of latency l and bandwidth B is about 25,000 bytes for many networks.
  private func pieces(_ count: Int) -> [Range<Int>] {
    if count == 0 { return [] }
    let best = (Double(count) * 25_000 / Double(group.count)).squareRoot()
    let size = min(max(Int(best), 4_096), 1 << 20) / 8 * 8
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }

  private func send(_ header: Header, _ payload: [UInt8], to rank: Int) throws {
    try payload.withUnsafeBytes { payload in
      for piece in header.isFailure ? [0..<payload.count] : pieces(payload.count) {
        try group.send(UnsafeRawBufferPointer(rebasing: payload[piece]), to: rank)
      }
    }
  }

  private func send(_ bytes: [UInt8], to rank: Int) throws {
    try bytes.withUnsafeBytes { try group.send($0, to: rank) }
  }

  private func received(_ count: Int, from rank: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try group.receive(into: $0, from: rank) }
    return bytes
  }
}
