import CKernels

/// The memory of one tensor: contiguous elements in row-major order.
///
/// A kernel writes its result into a new storage and makes a tensor of it. After that the elements never
/// change. A view shares the memory of its owner.
public final class Storage: @unchecked Sendable {
  /// The sizes of the axes.
  public let shape: Shape
  /// The type of the elements.
  public let dtype: DType
  package let address: UnsafeMutableRawPointer
  /// The storage that a view keeps alive.
  private let owner: AnyObject?
  /// The size of the block to give back at the end; negative for a view.
  private let ownedBytes: Int

  /// Memory of undefined content. A kernel has to write every element.
  public init(shape: Shape, dtype: DType) {
    self.shape = shape
    self.dtype = dtype
    owner = nil
    ownedBytes = shape.count * dtype.byteCount
    address = StoragePool.allocate(ownedBytes)
  }

  /// Memory of undefined content with the shape and the dtype of another storage.
  package convenience init(like other: Storage) { self.init(shape: other.shape, dtype: other.dtype) }

  /// A view of `shape.count` elements of a storage, from element `offset` on.
  init(viewing storage: Storage, from offset: Int, shape: Shape) {
    self.shape = shape
    dtype = storage.dtype
    owner = storage.owner ?? (storage as AnyObject)
    ownedBytes = -1
    address = storage.address(offset)
  }

  /// A view of memory that others own, which must outlive it and hold its elements unchanged until then.
  ///
  /// - Precondition: the address is a multiple of the element's size.
  init(borrowing address: UnsafeMutableRawPointer, shape: Shape, dtype: DType) {
    (self.shape, self.dtype, self.address) = (shape, dtype, address)
    owner = nil
    ownedBytes = -1
  }

  deinit { if ownedBytes >= 0 { StoragePool.release(address, ownedBytes) } }

  /// A pointer to the elements, for writing while the result is being made.
  ///
  /// It is valid as long as the storage, or a tensor made of it, is alive.
  ///
  /// - Precondition: the elements have this type.
  public func pointer<S: Scalar>(to type: S.Type = S.self) -> UnsafeMutablePointer<S> {
    require(dtype == S.dtype, "elements of type \(dtype) are read as \(S.dtype)")
    return address.assumingMemoryBound(to: S.self)
  }

  /// Sets a range of elements to one value while the result is being made.
  package func fill(_ range: Range<Int>, with value: Double) {
    if dtype == .int32 {
      (ints + range.lowerBound).update(repeating: Int32(value), count: range.count)
    } else {
      ck_fill(dtype.kernel, value, address(range.lowerBound), range.count)
    }
  }

  package var count: Int { shape.count }
  package var ints: UnsafeMutablePointer<Int32> { address.assumingMemoryBound(to: Int32.self) }
  package var byteCount: Int { count * dtype.byteCount }

  /// The address of an element.
  @inline(__always)
  package func address(_ element: Int) -> UnsafeMutableRawPointer { address + element * dtype.byteCount }
}
