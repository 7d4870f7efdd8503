/// A decompressor of DEFLATE (RFC 1951).
///
/// A table of 2,048 entries decodes the codes of at most eleven bits. Longer ones are decoded bit by bit,
/// from the number of codes of each length. A file cannot make the tables larger.
struct Inflate {
  /// An error in a compressed stream.
  struct Failure: Error {
    /// The position of the error, from the start of the stream.
    let offset: Int
    let message: String
  }

  /// The block that is being read, so that it can go on with more room.
  private enum Block {
    case none
    case stored(left: Int)
    case coded(HuffmanCode, HuffmanCode)
  }

  let input: UnsafeRawBufferPointer
  var position = 0
  /// The next bits, least significant first. Those from `bitCount` on are 0.
  var window: UInt64 = 0
  var bitCount = 0
  /// The number of bytes of the result so far.
  var count = 0
  let limit: Int
  private var block = Block.none
  private var isLast = false

  private init(_ input: UnsafeRawBufferPointer, limit: Int) { (self.input, self.limit) = (input, limit) }

  /// Decompresses a stream of exactly `count` bytes. A longer result is an error and takes no more memory.
  static func inflated(_ input: UnsafeRawBufferPointer, count: Int) throws(Failure) -> [UInt8] {
    let (bytes, end) = try inflated(input, limit: count, expecting: count)
    guard bytes.count == count else {
      throw Failure(offset: end, message: "expected \(count) bytes, got \(bytes.count)")
    }
    return bytes
  }

  /// Decompresses a stream of at most `limit` bytes, and finds its end in the input.
  ///
  /// - Parameter expected: The likely size of the result, to request memory once.
  static func inflated(
    _ input: UnsafeRawBufferPointer, limit: Int, expecting expected: Int = 0
  ) throws(Failure) -> (bytes: [UInt8], end: Int) {
    var stream = Inflate(input, limit: limit)
    var bytes: [UInt8] = []
    // A byte of DEFLATE is at most 1,032 bytes of the result.
    var room = min(max(min(expected, 1032 * input.count), 1 << 12), limit)
    var isOver = false
    while !isOver {
      var result = Result<Bool, Failure>.success(true)
      let earlier = bytes
      bytes = [UInt8](unsafeUninitializedCapacity: room) { output, count in
        _ = output.initialize(fromContentsOf: earlier)
        result = Result { () throws(Failure) in try stream.run(output) }
        count = stream.count
      }
      isOver = try result.get()
      room = min(2 * room, limit)
    }
    return (bytes, stream.place)
  }

  /// The byte that holds the next bit.
  private var place: Int { position - bitCount / 8 }

  func failure(_ message: String) -> Failure { Failure(offset: place, message: message) }

  /// Decompresses until the stream ends or the room is used. Returns whether the stream ended.
  private mutating func run(_ output: UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Bool {
    while true {
      switch block {
      case .none:
        if isLast { return true }
        try beginBlock()
      case .stored(let left):
        let size = min(left, output.count - count)
        let piece = UnsafeRawBufferPointer(rebasing: input[position..<position + size])
        UnsafeMutableRawBufferPointer(output)[count...].copyBytes(from: piece)
        count += size
        position += size
        block = size == left ? .none : .stored(left: left - size)
        if size < left { return false }
      case .coded(let literals, let distances):
        guard try symbols(literals, distances, output) else { return false }
        block = .none
      }
    }
  }

  private mutating func beginBlock() throws(Failure) {
    isLast = try bits(1) == 1
    switch try bits(2) {
    case 0: try beginStored()
    case 1: block = .coded(Inflate.fixedLiterals, Inflate.fixedDistances)
    case 2:
      let (literals, distances) = try dynamicCodes()
      block = .coded(literals, distances)
    default: throw failure("expected a block of type 0, 1 or 2, got 3")
    }
  }

  /// Fills the window up to 56 bits or more, or to the end of the input.
  @inline(__always) mutating func refill() {
    if input.count - position >= 8 {
      let next = input.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian
      window |= next << UInt64(bitCount)
      let taken = (63 - bitCount) / 8
      position += taken
      bitCount += 8 * taken
      if bitCount < 64 { window &= (1 << UInt64(bitCount)) - 1 }
      return
    }
    while bitCount <= 56, position < input.count {
      window |= UInt64(input[position]) << UInt64(bitCount)
      position += 1
      bitCount += 8
    }
  }

  /// Reads the next bits, at most 13, least significant first.
  @inline(__always) mutating func bits(_ count: Int) throws(Failure) -> Int {
    if bitCount < count { refill() }
    guard bitCount >= count else { throw failure("expected more of the stream, got its end") }
    let value = Int(truncatingIfNeeded: window & ((1 << UInt64(count)) - 1))
    window >>= UInt64(count)
    bitCount -= count
    return value
  }

  private mutating func beginStored() throws(Failure) {
    position = place
    (window, bitCount) = (0, 0)
    guard input.count - position >= 4 else { throw failure("expected a block's length, got the end") }
    let length = Int(input[position]) | Int(input[position + 1]) << 8
    let check = Int(input[position + 2]) | Int(input[position + 3]) << 8
    guard length == check ^ 0xFFFF else { throw failure("expected a block's length and its complement") }
    position += 4
    guard input.count - position >= length else { throw failure("expected a block of \(length) bytes") }
    guard count + length <= limit else { throw failure("expected at most \(limit) bytes, got more") }
    block = .stored(left: length)
  }

  private mutating func dynamicCodes() throws(Failure) -> (HuffmanCode, HuffmanCode) {
    let literalCount = try bits(5) + 257
    let distanceCount = try bits(5) + 1
    let lengthCount = try bits(4) + 4
    guard literalCount <= 286, distanceCount <= 30 else {
      throw failure("expected at most 286 and 30 codes, got \(literalCount) and \(distanceCount)")
    }
    var lengths = [Int](repeating: 0, count: 19)
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].prefix(lengthCount) {
      lengths[symbol] = try bits(3)
    }
    let lengthCode = try code(lengths, Meaning.lengthsOfCodes, mayBeIncomplete: false)
    lengths = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try shortSymbol(lengthCode)
      let (length, repeats): (Int, Int)
      switch symbol {
      case 16:
        guard let last = lengths.last else { throw failure("expected a length to repeat, got none") }
        (length, repeats) = (last, try bits(2) + 3)
      case 17: (length, repeats) = (0, try bits(3) + 3)
      case 18: (length, repeats) = (0, try bits(7) + 11)
      default: (length, repeats) = (symbol, 1)
      }
      lengths += [Int](repeating: length, count: repeats)
    }
    guard lengths.count == literalCount + distanceCount else {
      throw failure("expected \(literalCount + distanceCount) lengths of codes, got \(lengths.count)")
    }
    guard lengths[256] > 0 else { throw failure("expected a code for the end of the block, got none") }
    return (
      try code(Array(lengths[..<literalCount]), Meaning.literals, mayBeIncomplete: true),
      try code(Array(lengths[literalCount...]), Meaning.distances, mayBeIncomplete: true)
    )
  }

  /// The code with these lengths. Only a code of a single symbol may leave words unused (RFC 1951, 3.2.7).
  private func code(
    _ lengths: [Int], _ meanings: [UInt32], mayBeIncomplete: Bool
  ) throws(Failure) -> HuffmanCode {
    let code = HuffmanCode(lengths, meanings)
    guard code.unused >= 0 else { throw failure("expected lengths of a code, got too many short ones") }
    guard code.unused == 0 || mayBeIncomplete && code.counts[1] + code.counts[0] == lengths.count else {
      throw failure("expected lengths of a code, got too few short ones")
    }
    return code
  }

  private static let fixedLiterals = HuffmanCode(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }, Meaning.literals)
  private static let fixedDistances = HuffmanCode([Int](repeating: 5, count: 30), Meaning.distances)
}
