/// A canonical Huffman code.
struct HuffmanCode {
  /// The number of codes of each length.
  var counts = [Int](repeating: 0, count: 16)
  /// The symbols, sorted by code length and then by number.
  var symbols: [Int]
  /// The number of 15-bit words that begin with no code; negative if the lengths need too many words.
  var unused = 1
  /// The meaning of the first symbol in each next eleven bits, with its code's length; 0 where the code is
  /// longer.
  var table = [UInt32](repeating: 0, count: tableSize)

  /// The number of bits that choose a place in the table. Longer codes are rare.
  static let tableBits = 11
  static let tableSize = 1 << tableBits

  /// Makes the code with these lengths for the symbols 0, 1, ..., whose meanings are `Meaning`s.
  init(_ lengths: [Int], _ meanings: [UInt32]) {
    for length in lengths { counts[length] += 1 }
    for length in 1...15 { unused = unused * 2 - counts[length] }
    var offsets = [0, 0]
    for length in 1..<15 { offsets.append(offsets[length] + counts[length]) }
    symbols = [Int](repeating: 0, count: lengths.count)
    for (symbol, length) in lengths.enumerated() where length > 0 {
      symbols[offsets[length]] = symbol
      offsets[length] += 1
    }
    if unused >= 0 { fillTable(meanings) }
  }

  /// Writes each short code to all places whose lowest bits are the code, first bit lowest.
  private mutating func fillTable(_ meanings: [UInt32]) {
    var (word, index) = (0, 0)
    for length in 1...HuffmanCode.tableBits {
      for symbol in symbols[index..<index + counts[length]] {
        var reversed = 0
        for bit in 0..<length { reversed |= (word >> bit & 1) << (length - 1 - bit) }
        let entry = meanings[symbol] == 0 ? 0 : meanings[symbol] | UInt32(length)
        var place = reversed
        while place < HuffmanCode.tableSize {
          table[place] = entry
          place += 1 << length
        }
        word += 1
      }
      index += counts[length]
      word <<= 1
    }
  }
}

/// The meaning of a symbol in DEFLATE, as a code's table holds it.
///
/// The length of its code is in bits 0 to 7, and the number of extra bits in bits 8 to 11. The kind is in
/// bits 12 and 13, and the value from bit 16 on. A symbol without a meaning has 0.
enum Meaning {
  /// The value is a byte, or the symbol itself.
  static let literal: UInt32 = 1 << 12
  /// The value is the least length or distance. The extra bits are added.
  static let copy: UInt32 = 1 << 13

  /// A symbol that stands for a number, with extra bits.
  static func number(_ symbol: (least: Int, extraBits: Int)) -> UInt32 {
    UInt32(symbol.least) << 16 | copy | UInt32(symbol.extraBits) << 8
  }

  static let literals: [UInt32] =
    (0..<256).map { UInt32($0) << 16 | literal } + [0]
    + (257..<286).map { number(Inflate.length($0)) } + [0, 0]
  static let distances: [UInt32] = (0..<30).map { number(Inflate.distance($0)) } + [0, 0]
  static let lengthsOfCodes: [UInt32] = (0..<19).map { UInt32($0) << 16 | literal }
}
