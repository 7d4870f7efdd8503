extension Tensor {
  /// The elements in row-major order, rounded to single precision.
  public var floats: [Float] {
    guard dtype == .float64 else { return values() }
    return converted { (x: UnsafeBufferPointer<Double>, y) in for i in x.indices { y[i] = Float(x[i]) } }
  }

  /// The elements in row-major order.
  public var doubles: [Double] {
    guard dtype == .float32 else { return values() }
    return converted { (x: UnsafeBufferPointer<Float>, y) in for i in x.indices { y[i] = Double(x[i]) } }
  }

  /// The elements of an int32 tensor in row-major order.
  ///
  /// - Precondition: dtype int32.
  public var ints: [Int] {
    let storage = storage
    require(storage.dtype == .int32, "ints needs dtype int32, got \(storage.dtype)")
    return UnsafeBufferPointer(start: storage.ints, count: storage.count).map { Int($0) }
  }

  private func values<S: Scalar>() -> [S] {
    dtype == S.dtype ? withElements(as: S.self) { Array($0) } : ints.map { S($0) }
  }

  /// The elements in another type. A closure for all of them, since one for each is slow in debug builds.
  private func converted<S: Scalar, Other>(
    _ convert: (UnsafeBufferPointer<S>, UnsafeMutableBufferPointer<Other>) -> Void
  ) -> [Other] {
    withElements(as: S.self) { elements in
      Array(unsafeUninitializedCapacity: elements.count) { target, count in
        convert(elements, target)
        count = elements.count
      }
    }
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
    if dtype == .int32 { return nil }
    func search<S: Scalar>(_: S.Type) -> Int? { withElements(as: S.self) { $0.firstIndex { !$0.isFinite } } }
    return dtype.withScalar { search($0) }
  }

  /// Whether both hold the same bits under the same shape and dtype.
  public func isIdentical(to other: Tensor) -> Bool {
    let (a, b) = (storage, other.storage)
    guard a.shape == b.shape, a.dtype == b.dtype else { return false }
    if a.address == b.address { return true }
    return withBytes { bytes in other.withBytes { bytes.elementsEqual($0) } }
  }
}
