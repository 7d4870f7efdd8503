extension Tensor {
  /// The elements in row-major order, rounded to single precision.
  public var floats: [Float] {
    let storage = storage
    switch storage.dtype {
    case .float32: return Array(UnsafeBufferPointer(start: storage.floats, count: storage.count))
    case .float64: return UnsafeBufferPointer(start: storage.doubles, count: storage.count).map { Float($0) }
    case .int32: return UnsafeBufferPointer(start: storage.ints, count: storage.count).map { Float($0) }
    }
  }

  /// The elements in row-major order.
  public var doubles: [Double] {
    let storage = storage
    switch storage.dtype {
    case .float32: return UnsafeBufferPointer(start: storage.floats, count: storage.count).map { Double($0) }
    case .float64: return Array(UnsafeBufferPointer(start: storage.doubles, count: storage.count))
    case .int32: return UnsafeBufferPointer(start: storage.ints, count: storage.count).map { Double($0) }
    }
  }

  /// The elements of an int32 tensor in row-major order.
  ///
  /// - Precondition: dtype int32.
  public var ints: [Int] {
    let storage = storage
    require(storage.dtype == .int32, "ints needs dtype int32, got \(storage.dtype)")
    return UnsafeBufferPointer(start: storage.ints, count: storage.count).map { Int($0) }
  }

  /// The only element.
  ///
  /// - Precondition: exactly one element.
  public var item: Double {
    require(count == 1, "item needs exactly one element, got shape \(shape)")
    return doubles[0]
  }

  /// Whether every element is a finite number.
  public var isFinite: Bool { firstNonFinite == nil }

  /// The position in row-major order of the first NaN or infinity.
  public var firstNonFinite: Int? {
    let storage = storage
    switch storage.dtype {
    case .float32:
      return UnsafeBufferPointer(start: storage.floats, count: storage.count).firstIndex { !$0.isFinite }
    case .float64:
      return UnsafeBufferPointer(start: storage.doubles, count: storage.count).firstIndex { !$0.isFinite }
    case .int32: return nil
    }
  }

  /// Whether both hold the same bits under the same shape and dtype.
  public func isIdentical(to other: Tensor) -> Bool {
    let (a, b) = (storage, other.storage)
    guard a.shape == b.shape, a.dtype == b.dtype else { return false }
    if a.address == b.address { return true }
    let bytes = a.count * a.dtype.byteCount
    return UnsafeRawBufferPointer(start: a.address, count: bytes)
      .elementsEqual(UnsafeRawBufferPointer(start: b.address, count: bytes))
  }

  /// Calls `body` with the row-major values of a float32 tensor.
  ///
  /// - Precondition: dtype float32.
  public func withFloats<Result, Failure>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let storage = storage
    require(storage.dtype == .float32, "withFloats needs dtype float32, got \(storage.dtype)")
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(start: storage.floats, count: storage.count))
  }
}
