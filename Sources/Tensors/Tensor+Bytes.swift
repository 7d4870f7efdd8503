extension Tensor {
  /// Calls `body` with the elements in row-major order.
  ///
  /// - Precondition: the elements have this type.
  public func withElements<S: Scalar, Result, Failure>(
    as type: S.Type, _ body: (UnsafeBufferPointer<S>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let storage = storage
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(start: storage.pointer(to: type), count: storage.count))
  }

  /// Calls `body` with the bytes of the elements in row-major order, in the machine's byte order.
  public func withBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let storage = storage
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeRawBufferPointer(start: storage.address, count: storage.byteCount))
  }

  /// A tensor whose every element the closure writes, in row-major order.
  public init<S: Scalar, Failure>(
    shape: Shape, filling fill: (UnsafeMutablePointer<S>) throws(Failure) -> Void
  ) throws(Failure) {
    let storage = Storage(shape: shape, dtype: S.dtype)
    try fill(storage.pointer())
    self.init(storage)
  }

  /// A tensor whose every byte the closure writes, in row-major order and the machine's byte order.
  public init<Failure>(
    shape: Shape, dtype: DType, fillingBytes fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let storage = Storage(shape: shape, dtype: dtype)
    try fill(UnsafeMutableRawBufferPointer(start: storage.address, count: storage.byteCount))
    self.init(storage)
  }

  /// Calls `body` with a tensor whose elements are the caller's, without a copy.
  ///
  /// - Precondition: no tensor that shares the elements outlives the call, and their address is a multiple of
  ///   their size.
  package static func borrowing<S: Scalar, Result, Failure>(
    _ elements: UnsafePointer<S>, shape: Shape, _ body: (Tensor) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let address = UnsafeMutableRawPointer(mutating: elements)
    return try body(Tensor(Storage(borrowing: address, shape: shape, dtype: S.dtype)))
  }
}
