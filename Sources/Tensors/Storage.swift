/// Values in memory: row-major, contiguous, written once while being made and never again.
///
/// A view (reshaped, or a range of rows) shares the memory of its owner.
final class Storage: @unchecked Sendable {
  let shape: Shape
  let dtype: DType
  let address: UnsafeMutableRawPointer
  /// What a view keeps alive.
  private let owner: AnyObject?
  /// What is given back at the end; negative for a view.
  private let ownedBytes: Int

  /// Memory of undefined content.
  init(shape: Shape, dtype: DType) {
    self.shape = shape
    self.dtype = dtype
    owner = nil
    ownedBytes = shape.count * dtype.byteCount
    address = StoragePool.allocate(ownedBytes)
  }

  /// A view of `count(shape)` elements of `owner`, from its element `offset` on.
  init(viewing storage: Storage, from offset: Int, shape: Shape) {
    self.shape = shape
    dtype = storage.dtype
    owner = storage.owner ?? (storage as AnyObject)
    ownedBytes = -1
    address = storage.address + offset * storage.dtype.byteCount
  }

  deinit { if ownedBytes >= 0 { StoragePool.release(address, ownedBytes) } }

  /// Sets `count` elements from one on, while the values are being made.
  func fill(_ start: Int, _ count: Int, with value: Double) {
    switch dtype {
    case .float32: (floats + start).update(repeating: Float(value), count: count)
    case .float64: (doubles + start).update(repeating: value, count: count)
    case .int32: (ints + start).update(repeating: Int32(value), count: count)
    }
  }

  var count: Int { shape.count }
  var floats: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }
  var doubles: UnsafeMutablePointer<Double> { address.assumingMemoryBound(to: Double.self) }
  var ints: UnsafeMutablePointer<Int32> { address.assumingMemoryBound(to: Int32.self) }
}
