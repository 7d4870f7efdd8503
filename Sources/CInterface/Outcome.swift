import Tensors

/// A call with wrong arguments.
struct WrongCall: Error {
  let text: String
  init(_ text: String) { self.text = text }
}

/// A caller's buffer for the text of an error.
struct ErrorBuffer {
  let start: UnsafeMutablePointer<CChar>?
  let size: Int64

  init(_ start: UnsafeMutablePointer<CChar>?, _ size: Int64) { (self.start, self.size) = (start, size) }

  /// Writes as much of a text as fits, in whole characters, and a final 0.
  func write(_ text: String) {
    guard let start, size > 0 else { return }
    var bytes = Array(text.utf8.prefix(Int(min(size - 1, 1 << 20))))
    if bytes.count < text.utf8.count {
      // A character must not be cut: its later bytes are 10xxxxxx.
      let next = Array(text.utf8.dropFirst(bytes.count).prefix(1))
      if next[0] & 0xC0 == 0x80 {
        while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
      }
    }
    for (i, byte) in bytes.enumerated() { start[i] = CChar(bitPattern: byte) }
    start[bytes.count] = 0
  }

  /// Runs a call. Returns its status, and writes the text of its error.
  func status(of call: () throws -> Void) -> Int32 {
    do {
      try call()
      write("")
      return 0
    } catch let error as WrongCall {
      write(error.text)
      return 1
    } catch {
      write("\(error)")
      return 2
    }
  }
}
