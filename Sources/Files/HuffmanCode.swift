/// A canonical Huffman code.
struct HuffmanCode {
  /// The number of codes of each length.
  var counts = [Int](repeating: 0, count: 16)
  /// The symbols, sorted by code length and then by number.
  var symbols: [Int]
  /// The number of 15-bit words that begin with no code; negative if the lengths need too many words.
  var unused = 1
  /// The symbol times 16 plus the code's length, for each next ten bits; 0 where the code is longer.
  var table = [UInt16](repeating: 0, count: tableSize)

  private static let tableBits = 10
  static let tableSize = 1 << tableBits

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
    if unused >= 0 { fillTable() }
  }

  /// Writes each short code to all places whose lowest bits are the code, first bit lowest.
  private mutating func fillTable() {
    var (word, index) = (0, 0)
    for length in 1...HuffmanCode.tableBits {
      for symbol in symbols[index..<index + counts[length]] {
        let reversed = (0..<length).reduce(0) { $0 | (word >> $1 & 1) << (length - 1 - $1) }
        for place in stride(from: reversed, to: HuffmanCode.tableSize, by: 1 << length) {
          table[place] = UInt16(symbol << 4 | length)
        }
        word += 1
      }
      index += counts[length]
      word <<= 1
    }
  }
}
