import Tensors

extension Graph {
  /// The numbers of a constant: one for all if they are equal, else their bytes in hexadecimal.
  func dense(_ tensor: Tensor) -> String {
    if tensor.count == 0 { return "dense<>" }
    let bytes = tensor.withBytes { Array($0) }
    guard hasOneNumber(tensor) else { return "dense<\"0x\(hexadecimal(bytes))\">" }
    if tensor.dtype == .int32 { return "dense<\(tensor.ints[0])>" }
    // The most significant byte comes first.
    return "dense<0x\(hexadecimal(bytes.prefix(tensor.dtype.byteCount).reversed()))>"
  }

  /// Whether all numbers of a constant have the same bits.
  func hasOneNumber(_ tensor: Tensor) -> Bool {
    let size = tensor.dtype.byteCount
    return tensor.withBytes { bytes in
      stride(from: size, to: bytes.count, by: size).allSatisfy { start in
        bytes[start..<start + size].elementsEqual(bytes[0..<size])
      }
    }
  }
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var text: [UInt8] = []
  for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
  return String(decoding: text, as: UTF8.self)
}
