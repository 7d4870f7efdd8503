extension Inflate {
  /// The length of the longest match.
  private static let longest = 258
  /// The bytes that one turn of the fast loop may write: three literals, a match, and a part of a word.
  private static let margin = 3 + longest + 8

  /// The least length of a symbol, and the number of its extra bits.
  static func length(_ symbol: Int) -> (least: Int, extraBits: Int) {
    symbol == 285 ? (longest, 0) : bucket(symbol - 257, doublingEvery: 2, from: 3)
  }

  /// The least distance of a symbol, and the number of its extra bits.
  static func distance(_ symbol: Int) -> (least: Int, extraBits: Int) {
    bucket(symbol, doublingEvery: 1, from: 1)
  }

  /// With n = 2^`shift` the first 2 · n buckets hold one number each, the next n two, the next n four, and so
  /// on.
  private static func bucket(_ bucket: Int, doublingEvery shift: Int, from first: Int) -> (Int, Int) {
    let count = 1 << shift
    guard bucket >= 2 * count else { return (first + bucket, 0) }
    let extra = bucket >> shift - 1
    return (first + (count + bucket & (count - 1)) << extra, extra)
  }

  /// Decodes symbols until the block ends or the room is used. Returns whether the block ended.
  mutating func symbols(
    _ literals: HuffmanCode, _ distances: HuffmanCode, _ output: UnsafeMutableBufferPointer<UInt8>
  ) throws(Failure) -> Bool {
    while output.count - count >= Inflate.longest || output.count == limit {
      shortSymbols(literals, distances, output)
      if try symbol(literals, distances, output) { return true }
    }
    return false
  }

  /// Decodes symbols of short codes, while both ends are far and no error is in sight.
  ///
  /// It stops before the first symbol that is none of these.
  private mutating func shortSymbols(
    _ literals: HuffmanCode, _ distances: HuffmanCode, _ output: UnsafeMutableBufferPointer<UInt8>
  ) {
    let (lastPosition, lastCount) = (input.count - 16, min(output.count, limit) - Inflate.margin)
    guard position <= lastPosition, count <= lastCount else { return }
    var places = (window: window, bitCount: bitCount, position: position, count: count)
    literals.table.withUnsafeBufferPointer { literals in
      distances.table.withUnsafeBufferPointer { distances in
        places = Inflate.shortSymbols(
          literals.baseAddress!, distances.baseAddress!, from: input.baseAddress!, upTo: lastPosition,
          to: UnsafeMutableRawPointer(output.baseAddress!), upTo: lastCount, places)
      }
    }
    (bitCount, position, count) = (places.bitCount, places.position, places.count)
    window = places.window & (1 << UInt64(bitCount) - 1)
  }

  /// The state of the window, the place in the input and that in the output.
  private typealias Places = (window: UInt64, bitCount: Int, position: Int, count: Int)

  /// The loop of `shortSymbols`, with the state in registers.
  private static func shortSymbols(
    _ literals: UnsafePointer<UInt32>, _ distances: UnsafePointer<UInt32>, from source: UnsafeRawPointer,
    upTo lastPosition: Int, to target: UnsafeMutableRawPointer, upTo lastCount: Int, _ places: Places
  ) -> Places {
    var (window, bitCount, position, count) = places
    let mask = UInt64(HuffmanCode.tableSize - 1)
    loop: while position <= lastPosition, count <= lastCount {
      // Fills the window to 56 bits or more. Bits beyond may be there; they are those of the input.
      let next = source.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian
      window |= next &<< UInt64(bitCount)
      position &+= (63 &- bitCount) &>> 3
      bitCount |= 56

      var entry = literals[Int(truncatingIfNeeded: window & mask)]
      var found = 0
      while entry & Meaning.literal != 0 {
        target.storeBytes(of: UInt8(truncatingIfNeeded: entry &>> 16), toByteOffset: count, as: UInt8.self)
        count &+= 1
        window &>>= UInt64(entry & 0xFF)
        bitCount &-= Int(entry & 0xFF)
        found &+= 1
        if found == 3 { continue loop }
        entry = literals[Int(truncatingIfNeeded: window & mask)]
      }
      if found > 1 { continue }
      guard entry & Meaning.copy != 0 else { break }

      // A length has at most 11 + 5 bits here and a distance 11 + 13; a literal before them had 11.
      var rest = window &>> UInt64(entry & 0xFF)
      let lengthBits = UInt64(entry &>> 8 & 0xF)
      let length = Int(entry &>> 16) &+ Int(truncatingIfNeeded: rest & (1 &<< lengthBits &- 1))
      rest &>>= lengthBits
      let far = distances[Int(truncatingIfNeeded: rest & mask)]
      guard far & Meaning.copy != 0 else { break }
      rest &>>= UInt64(far & 0xFF)
      let distanceBits = UInt64(far &>> 8 & 0xF)
      let distance = Int(far &>> 16) &+ Int(truncatingIfNeeded: rest & (1 &<< distanceBits &- 1))
      guard distance <= count else { break }
      window = rest &>> distanceBits
      let used = UInt64(entry & 0xFF) &+ lengthBits &+ UInt64(far & 0xFF) &+ distanceBits
      bitCount &-= Int(truncatingIfNeeded: used)
      copy(target + count, distance: distance, length: length)
      count &+= length
    }
    return (window, bitCount, position, count)
  }

  /// Copies a match by words, and up to seven bytes more.
  @inline(__always)
  private static func copy(_ target: UnsafeMutableRawPointer, distance: Int, length: Int) {
    var (place, far) = (0, distance)
    if distance < 8 {
      // A period of several distances is as long as a word.
      far = (7 / distance + 1) * distance
      while place < far - distance {
        target.storeBytes(
          of: target.load(fromByteOffset: place - distance, as: UInt8.self), toByteOffset: place,
          as: UInt8.self)
        place &+= 1
      }
    }
    while place < length {
      let word = target.loadUnaligned(fromByteOffset: place &- far, as: UInt64.self)
      target.storeBytes(of: word, toByteOffset: place, as: UInt64.self)
      place &+= 8
    }
  }

  /// Decodes one symbol, whatever it is. Returns whether it ends the block.
  private mutating func symbol(
    _ literals: HuffmanCode, _ distances: HuffmanCode, _ output: UnsafeMutableBufferPointer<UInt8>
  ) throws(Failure) -> Bool {
    let symbol = try longSymbol(literals)
    if symbol == 256 { return true }
    if symbol < 256 {
      guard count < limit else { throw failure("expected at most \(limit) bytes, got more") }
      output[count] = UInt8(truncatingIfNeeded: symbol)
      count += 1
      return false
    }
    guard symbol < 286 else { throw failure("expected a length's code, got \(symbol)") }
    let length = try number(Inflate.length(symbol))
    let code = try longSymbol(distances)
    guard code < 30 else { throw failure("expected a distance's code, got \(code)") }
    let distance = try number(Inflate.distance(code))
    guard distance <= count else {
      throw failure("expected a distance of at most \(count), got \(distance)")
    }
    guard count + length <= limit else { throw failure("expected at most \(limit) bytes, got more") }
    for place in count..<count + length { output[place] = output[place - distance] }
    count += length
    return false
  }

  private mutating func number(_ bucket: (least: Int, extraBits: Int)) throws(Failure) -> Int {
    bucket.least + (try bits(bucket.extraBits))
  }

  /// Reads a symbol bit by bit. The codes of each length are consecutive numbers.
  mutating func longSymbol(_ code: HuffmanCode) throws(Failure) -> Int {
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

  /// Reads a symbol whose number is its meaning.
  mutating func shortSymbol(_ code: HuffmanCode) throws(Failure) -> Int {
    if bitCount < 15 { refill() }
    let entry = code.table[Int(truncatingIfNeeded: window) & (HuffmanCode.tableSize - 1)]
    let length = Int(entry & 0xFF)
    guard length > 0, length <= bitCount else { return try longSymbol(code) }
    window >>= UInt64(length)
    bitCount -= length
    return Int(entry >> 16)
  }
}
