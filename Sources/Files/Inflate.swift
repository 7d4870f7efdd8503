/// A decompressor of DEFLATE (RFC 1951).
///
/// It decodes canonical Huffman codes bit by bit from the number of codes of each length, as Mark Adler's
/// *puff* does. The code is small, and a file cannot make its tables large.
struct Inflate {
  /// An error in a compressed stream.
  struct Failure: Error {
    /// The position of the error, from the start of the stream.
    let offset: Int
    let message: String
  }

  private let input: UnsafeRawBufferPointer
  private var position = 0
  private var window: UInt32 = 0
  private var bitCount = 0
  private var output: [UInt8] = []
  private let limit: Int

  /// Decompresses a stream of exactly `count` bytes. A longer result is an error and takes no more memory.
  static func inflated(_ input: UnsafeRawBufferPointer, count: Int) throws(Failure) -> [UInt8] {
    var stream = Inflate(input: input, limit: count)
    // A byte of input gives at most 1032 of output, so a larger size in a header is wrong.
    stream.output.reserveCapacity(min(count, 1 << 20, (input.count + 8) * 1032))
    try stream.run()
    guard stream.output.count == count else {
      throw stream.failure("expected \(count) bytes, got \(stream.output.count)")
    }
    return stream.output
  }

  private func failure(_ message: String) -> Failure { Failure(offset: position, message: message) }

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

  /// Reads the next bits, at most 13, least significant first.
  private mutating func bits(_ count: Int) throws(Failure) -> Int {
    while bitCount < count {
      guard position < input.count else { throw failure("expected more of the stream, got its end") }
      window |= UInt32(input[position]) << UInt32(bitCount)
      position += 1
      bitCount += 8
    }
    defer {
      window >>= UInt32(count)
      bitCount -= count
    }
    return Int(window & (1 << UInt32(count) - 1))
  }

  private mutating func stored() throws(Failure) {
    (window, bitCount) = (0, 0)
    guard input.count - position >= 4 else { throw failure("expected a block's length, got the end") }
    let length = Int(input[position]) | Int(input[position + 1]) << 8
    let check = Int(input[position + 2]) | Int(input[position + 3]) << 8
    guard length == check ^ 0xFFFF else { throw failure("expected a block's length and its complement") }
    position += 4
    guard input.count - position >= length else { throw failure("expected a block of \(length) bytes") }
    guard output.count + length <= limit else { throw failure("expected at most \(limit) bytes, got more") }
    output += input[position..<position + length]
    position += length
  }

  private mutating func codes(_ literals: Code, _ distances: Code) throws(Failure) {
    while true {
      let symbol = try next(literals)
      if symbol < 256 {
        guard output.count < limit else { throw failure("expected at most \(limit) bytes, got more") }
        output.append(UInt8(symbol))
      } else if symbol == 256 {
        return
      } else {
        guard symbol < 286 else { throw failure("expected a length's code, got \(symbol)") }
        let length = try value(symbol - 257, perDoubling: 4, from: 3, last: 28)
        let code = try next(distances)
        guard code < 30 else { throw failure("expected a distance's code, got \(code)") }
        let distance = try value(code, perDoubling: 2, from: 1, last: nil)
        guard distance <= output.count else {
          throw failure("expected a distance of at most \(output.count), got \(distance)")
        }
        guard output.count + length <= limit else {
          throw failure("expected at most \(limit) bytes, got more")
        }
        for _ in 0..<length { output.append(output[output.count - distance]) }
      }
    }
  }

  /// Reads a length or distance from its bucket and the extra bits that give the place in the bucket.
  ///
  /// The first 2 · `count` buckets hold one number each, the next `count` two, the next four, and so on. The
  /// last length's bucket holds 258 alone.
  private mutating func value(_ bucket: Int, perDoubling count: Int, from first: Int, last: Int?)
    throws(Failure) -> Int
  {
    if bucket == last { return 258 }
    guard bucket >= 2 * count else { return first + bucket }
    let extra = bucket / count - 1
    return first + ((count + bucket % count) << extra) + (try bits(extra))
  }

  /// Reads the next symbol of a canonical code. The codes of each length are consecutive numbers.
  private mutating func next(_ code: Code) throws(Failure) -> Int {
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

  private mutating func dynamicCodes() throws(Failure) -> (Code, Code) {
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
  private func code(_ lengths: [Int], mayBeIncomplete: Bool) throws(Failure) -> Code {
    let code = Code(lengths)
    guard code.unused >= 0 else { throw failure("expected lengths of a code, got too many short ones") }
    guard code.unused == 0 || mayBeIncomplete && code.counts[1] + code.counts[0] == lengths.count else {
      throw failure("expected lengths of a code, got too few short ones")
    }
    return code
  }

  private struct Code {
    /// The number of codes of each length.
    var counts = [Int](repeating: 0, count: 16)
    /// The symbols, sorted by code length and then by number.
    var symbols: [Int]
    /// The number of 15-bit words that begin with no code; negative if the lengths need too many words.
    var unused = 1

    init(_ lengths: [Int]) {
      for length in lengths { counts[length] += 1 }
      for length in 1...15 { unused = unused * 2 - counts[length] }
      var offsets = [0, 0]
      for length in 1..<15 { offsets.append(offsets[length] + counts[length]) }
      symbols = [Int](repeating: 0, count: lengths.count)
      for (symbol, length) in lengths.enumerated() where length > 0 {
        symbols[offsets[length]] = symbol
        offsets[length] += 1
      }
    }
  }

  private static let fixedLiterals = Code((0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = Code([Int](repeating: 5, count: 30))
}
