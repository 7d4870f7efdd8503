extension Tensor {
  /// Calls `body` with the elements in row-major order as they stand in memory, in the machine's byte order.
  public func withBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let storage = storage
    defer { withExtendedLifetime(storage) {} }
    return try body(
      UnsafeRawBufferPointer(start: storage.address, count: storage.count * storage.dtype.byteCount))
  }

  /// A tensor whose every byte the closure writes: the elements in row-major order, in the machine's byte order.
  public init<Failure>(
    shape: Shape, dtype: DType, fillingBytes fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let storage = Storage(shape: shape, dtype: dtype)
    try fill(
      UnsafeMutableRawBufferPointer(start: storage.address, count: storage.count * dtype.byteCount))
    self.init(storage)
  }
}
