/// A decompressor of DEFLATE (RFC 1951).
///
/// A table of 1,024 entries decodes the codes of at most ten bits. Longer ones are decoded bit by bit, from
/// the number of codes of each length. A file cannot make the tables larger.
struct Inflate {
  /// An error in a compressed stream.
  struct Failure: Error {
    /// The position of the error, from the start of the stream.
    let offset: Int
    let message: String
  }

  private let input: UnsafeRawBufferPointer
  private var position = 0
  private var window: UInt64 = 0
  private var bitCount = 0
  /// The result: the first `count` bytes. The rest is room.
  private var output: [UInt8] = []
  private var count = 0
  private let limit: Int

  private init(_ input: UnsafeRawBufferPointer, limit: Int) { (self.input, self.limit) = (input, limit) }

  /// Decompresses a stream of exactly `count` bytes. A longer result is an error and takes no more memory.
  static func inflated(_ input: UnsafeRawBufferPointer, count: Int) throws(Failure) -> [UInt8] {
    let (bytes, end) = try inflated(input, limit: count)
    guard bytes.count == count else {
      throw Failure(offset: end, message: "expected \(count) bytes, got \(bytes.count)")
    }
    return bytes
  }

  /// Decompresses a stream of at most `limit` bytes, and finds its end in the input.
  static func inflated(
    _ input: UnsafeRawBufferPointer, limit: Int
  ) throws(Failure) -> (bytes: [UInt8], end: Int) {
    var stream = Inflate(input, limit: limit)
    try stream.run()
    stream.output.removeLast(stream.output.count - stream.count)
    return (stream.output, stream.place)
  }

  /// The byte that holds the next bit.
  private var place: Int { position - bitCount / 8 }

  private func failure(_ message: String) -> Failure { Failure(offset: place, message: message) }

  private mutating func run() throws(Failure) {
    var isLast = false
    while !isLast {
      isLast = try bits(1) == 1
      switch try bits(2) {
      case 0: try stored()
      case 1: try codes(Inflate.fixedLiterals, Inflate.fixedDistances)
      case 2:
        let (literals, distances) = try dynamicCodes()
        try codes(literals, distances)
      default: throw failure("expected a block of type 0, 1 or 2, got 3")
      }
    }
  }

  /// Fills the window up to 56 bits or more, or to the end of the input.
  @inline(__always) private mutating func refill() {
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
  @inline(__always) private mutating func bits(_ count: Int) throws(Failure) -> Int {
    if bitCount < count { refill() }
    guard bitCount >= count else { throw failure("expected more of the stream, got its end") }
    let value = Int(truncatingIfNeeded: window & ((1 << UInt64(count)) - 1))
    window >>= UInt64(count)
    bitCount -= count
    return value
  }

  private mutating func stored() throws(Failure) {
    position = place
    (window, bitCount) = (0, 0)
    guard input.count - position >= 4 else { throw failure("expected a block's length, got the end") }
    let length = Int(input[position]) | Int(input[position + 1]) << 8
    let check = Int(input[position + 2]) | Int(input[position + 3]) << 8
    guard length == check ^ 0xFFFF else { throw failure("expected a block's length and its complement") }
    position += 4
    guard input.count - position >= length else { throw failure("expected a block of \(length) bytes") }
    guard count + length <= limit else { throw failure("expected at most \(limit) bytes, got more") }
    makeRoom(length)
    for i in 0..<length { output[count + i] = input[position + i] }
    count += length
    position += length
  }

  /// Makes room for some bytes, and for as many as there are already.
  private mutating func makeRoom(_ size: Int) {
    let missing = count + size - output.count
    if missing <= 0 { return }
    output.append(contentsOf: repeatElement(0, count: max(missing, min(count, limit - count), 1 << 12)))
  }

  /// The length of the longest match.
  private static let longest = 258

  private mutating func codes(_ literals: HuffmanCode, _ distances: HuffmanCode) throws(Failure) {
    var isOver = false
    while !isOver {
      makeRoom(Inflate.longest)
      var (bytes, count) = (self.output, self.count)
      self.output = []  // One owner, so that the bytes are not copied.
      let result = bytes.withUnsafeMutableBufferPointer { output in
        Result { () throws(Failure) in try symbols(literals, distances, output, &count) }
      }
      (self.output, self.count) = (bytes, count)
      isOver = try result.get()
    }
  }

  /// Decodes symbols until the block ends or the room is used. Returns whether the block ended.
  private mutating func symbols(
    _ literals: HuffmanCode, _ distances: HuffmanCode, _ output: UnsafeMutableBufferPointer<UInt8>,
    _ count: inout Int
  ) throws(Failure) -> Bool {
    while output.count - count >= Inflate.longest {
      let symbol = try next(literals)
      if symbol < 256 {
        guard count < limit else { throw failure("expected at most \(limit) bytes, got more") }
        output[count] = UInt8(truncatingIfNeeded: symbol)
        count += 1
      } else if symbol == 256 {
        return true
      } else {
        guard symbol < 286 else { throw failure("expected a length's code, got \(symbol)") }
        let length = symbol == 285 ? Inflate.longest : try value(symbol - 257, doublingEvery: 2, from: 3)
        let code = try next(distances)
        guard code < 30 else { throw failure("expected a distance's code, got \(code)") }
        let distance = try value(code, doublingEvery: 1, from: 1)
        guard distance <= count else {
          throw failure("expected a distance of at most \(count), got \(distance)")
        }
        guard count + length <= limit else { throw failure("expected at most \(limit) bytes, got more") }
        let target = output.baseAddress! + count
        for i in 0..<length { target[i] = target[i - distance] }
        count += length
      }
    }
    return false
  }

  /// Reads a length or distance from its bucket and the extra bits that give the place in the bucket.
  ///
  /// With n = 2^`shift` the first 2 · n buckets hold one number each, the next n two, the next n four, and so
  /// on.
  @inline(__always)
  private mutating func value(_ bucket: Int, doublingEvery shift: Int, from first: Int) throws(Failure) -> Int
  {
    let count = 1 << shift
    guard bucket >= 2 * count else { return first + bucket }
    let extra = bucket >> shift - 1
    return first + ((count + bucket & (count - 1)) << extra) + (try bits(extra))
  }

  /// Reads the next symbol of a canonical code.
  @inline(__always) private mutating func next(_ code: HuffmanCode) throws(Failure) -> Int {
    if bitCount < 15 { refill() }
    let entry = Int(code.table[Int(truncatingIfNeeded: window) & (HuffmanCode.tableSize - 1)])
    let length = entry & 15
    guard length > 0, length <= bitCount else { return try longSymbol(code) }
    window >>= UInt64(length)
    bitCount -= length
    return entry >> 4
  }

  /// Reads a symbol bit by bit. The codes of each length are consecutive numbers.
  private mutating func longSymbol(_ code: HuffmanCode) throws(Failure) -> Int {
    var (word, first, index) = (0, 0, 0)
    for length in 1...15 {
      word |= try bits(1)
      let count = code.counts[length]
      if word - count < first { return code.symbols[index + word - first] }
      index += count
      first = (first + count) << 1
      word <<= 1
    }
    throw failure("expected a code of the block, got none of them")
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
    let lengthCode = try code(lengths, mayBeIncomplete: false)
    lengths = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try next(lengthCode)
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
      try code(Array(lengths[..<literalCount]), mayBeIncomplete: true),
      try code(Array(lengths[literalCount...]), mayBeIncomplete: true)
    )
  }

  /// The code with these lengths. Only a code of a single symbol may leave words unused (RFC 1951, 3.2.7).
  private func code(_ lengths: [Int], mayBeIncomplete: Bool) throws(Failure) -> HuffmanCode {
    let code = HuffmanCode(lengths)
    guard code.unused >= 0 else { throw failure("expected lengths of a code, got too many short ones") }
    guard code.unused == 0 || mayBeIncomplete && code.counts[1] + code.counts[0] == lengths.count else {
      throw failure("expected lengths of a code, got too few short ones")
    }
    return code
  }

  private static let fixedLiterals = HuffmanCode(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = HuffmanCode([Int](repeating: 5, count: 30))
}
