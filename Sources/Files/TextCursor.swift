/// A position in a text that a parser reads from its start to its end.
struct TextCursor {
  let text: [UInt8]
  var place = 0

  var rest: ArraySlice<UInt8> { text[place...] }

  /// The beginning of the rest, for an error.
  var excerptOfRest: String { excerpt(rest.prefix(20)) }

  mutating func skipBlanks() {
    while place < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[place]) { place += 1 }
  }

  /// Skips blanks, and then a token if it is there. Returns whether it was there.
  mutating func take(_ token: String) -> Bool {
    skipBlanks()
    guard rest.starts(with: token.utf8) else { return false }
    place += token.utf8.count
    return true
  }
}
