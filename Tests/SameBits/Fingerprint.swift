import Flows

/// A hash of tensors' bytes, in the order in which they are added: FNV-1a with 64 bits.
struct Fingerprint {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ tensor: Tensor) {
    tensor.withBytes { for byte in $0 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 } }
  }
}
