/// The places of tensors of float32 and float64, any of which may be absent, in one run of bytes.
///
/// Runs are added number by number. An absent tensor is a run of −0, which changes no number that it is added
/// to. A number per tensor says whether it is there: 1 or −0.
struct FlatLayout {
  typealias Entry = (shape: Shape, dtype: DType)

  /// The bytes of the float64 numbers, which come first.
  let doubles: Int
  private let entries: [Entry]
  private let starts: [Int]
  private let flags: Int
  private let count: Int

  init(_ entries: [Entry]) {
    self.entries = entries
    var (starts, place) = ([Int](repeating: 0, count: entries.count), 0)
    var doubles = 0
    for dtype in [DType.float64, .float32] {
      for i in entries.indices where entries[i].dtype == dtype {
        starts[i] = place
        place += entries[i].shape.count * dtype.byteCount
      }
      if dtype == .float64 { doubles = place }
    }
    (self.starts, self.doubles, flags) = (starts, doubles, place)
    count = place + 4 * entries.count
  }

  func bytes(_ tensors: [Tensor?]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let target = UnsafeMutableRawBufferPointer(buffer)
      for (i, entry) in entries.enumerated() {
        let size = entry.shape.count * entry.dtype.byteCount
        let own = UnsafeMutableRawBufferPointer(rebasing: target[starts[i]..<starts[i] + size])
        if let tensor = tensors[i] {
          require(tensor.count == entry.shape.count && tensor.dtype == entry.dtype, "shards of one layout")
          tensor.withBytes { own.copyMemory(from: $0) }
        } else {
          let step = entry.dtype.byteCount
          for byte in 0..<size { own[byte] = byte % step == step - 1 ? 0x80 : 0 }
        }
        let flag = (tensors[i] == nil ? -0.0 : 1 as Float).bitPattern.littleEndian
        target.storeBytes(of: flag, toByteOffset: flags + 4 * i, as: UInt32.self)
      }
      initialized = count
    }
  }

  func tensors(_ bytes: [UInt8]) -> [Tensor?] {
    bytes.withUnsafeBytes { bytes in
      entries.indices.map { i in
        let (shape, dtype) = entries[i]
        let flag = bytes.loadUnaligned(fromByteOffset: flags + 4 * i, as: UInt32.self)
        guard Float(bitPattern: UInt32(littleEndian: flag)) > 0 else { return nil }
        return Tensor(shape: shape, dtype: dtype) { target in
          target.copyMemory(from: .init(rebasing: bytes[starts[i]..<starts[i] + target.count]))
        }
      }
    }
  }
}
