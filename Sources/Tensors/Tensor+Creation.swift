import CKernels

extension Tensor {
  /// Row-major values, rounded to the dtype.
  ///
  /// - Precondition: as many values as the shape holds; without a shape, one axis.
  public init(_ values: [Double], shape: Shape? = nil, dtype: DType = .float32) {
    let shape = shape ?? Shape([values.count])
    require(values.count == shape.count, "shape \(shape) needs \(shape.count) values, got \(values.count)")
    let storage = Storage(shape: shape, dtype: dtype)
    for (i, value) in values.enumerated() {
      switch dtype {
      case .float32: storage.floats[i] = Float(value)
      case .float64: storage.doubles[i] = value
      case .int32: storage.ints[i] = Int32(value)
      }
    }
    self.init(storage)
  }

  /// A matrix from its rows.
  ///
  /// - Precondition: rows of equal length.
  public init(_ rows: [[Double]], dtype: DType = .float32) {
    let columns = rows.first?.count ?? 0
    require(rows.allSatisfy { $0.count == columns }, "rows of a matrix have equal lengths")
    self.init(Array(rows.joined()), shape: [rows.count, columns], dtype: dtype)
  }

  /// A single number.
  public init(_ scalar: Double, dtype: DType = .float32) { self = .full(.scalar, scalar, dtype: dtype) }

  /// Row-major single-precision values.
  ///
  /// - Precondition: as many values as the shape holds.
  public init(floats: [Float], shape: Shape) {
    require(floats.count == shape.count, "shape \(shape) needs \(shape.count) values, got \(floats.count)")
    self.init(
      shape: shape,
      fillingFloats: { address in
        floats.withUnsafeBufferPointer {
          if let base = $0.baseAddress { address.update(from: base, count: $0.count) }
        }
      })
  }

  /// Row-major double-precision values.
  ///
  /// - Precondition: as many values as the shape holds.
  public init(doubles: [Double], shape: Shape) {
    require(doubles.count == shape.count, "shape \(shape) needs \(shape.count) values, got \(doubles.count)")
    self.init(
      shape: shape,
      fillingDoubles: { address in
        doubles.withUnsafeBufferPointer {
          if let base = $0.baseAddress { address.update(from: base, count: $0.count) }
        }
      })
  }

  /// Row-major whole numbers, dtype int32: indices.
  ///
  /// - Precondition: as many values as the shape holds, each within 32 bits.
  public init(ints: [Int], shape: Shape? = nil) {
    let shape = shape ?? Shape([ints.count])
    require(ints.count == shape.count, "shape \(shape) needs \(shape.count) values, got \(ints.count)")
    let storage = Storage(shape: shape, dtype: .int32)
    for (i, value) in ints.enumerated() { storage.ints[i] = Int32(value) }
    self.init(storage)
  }

  /// A float32 tensor whose every element the closure writes.
  public init(shape: Shape, fillingFloats fill: (UnsafeMutablePointer<Float>) -> Void) {
    let storage = Storage(shape: shape, dtype: .float32)
    fill(storage.floats)
    self.init(storage)
  }

  /// A float64 tensor whose every element the closure writes.
  public init(shape: Shape, fillingDoubles fill: (UnsafeMutablePointer<Double>) -> Void) {
    let storage = Storage(shape: shape, dtype: .float64)
    fill(storage.doubles)
    self.init(storage)
  }

  /// One value everywhere.
  public static func full(_ shape: Shape, _ value: Double, dtype: DType = .float32) -> Tensor {
    let storage = Storage(shape: shape, dtype: dtype)
    switch dtype {
    case .float32: ck_fill_f32(Float(value), storage.floats, storage.count)
    case .float64: ck_fill_f64(value, storage.doubles, storage.count)
    case .int32: storage.ints.update(repeating: Int32(value), count: storage.count)
    }
    return Tensor(storage)
  }

  /// Zeros.
  public static func zeros(_ shape: Shape, dtype: DType = .float32) -> Tensor { full(shape, 0, dtype: dtype) }

  /// Ones.
  public static func ones(_ shape: Shape, dtype: DType = .float32) -> Tensor { full(shape, 1, dtype: dtype) }

  /// The identity matrix.
  public static func identity(_ size: Int, dtype: DType = .float32) -> Tensor {
    let identity = Tensor.zeros([size, size], dtype: dtype)
    for i in 0..<size { identity.storage.fill(i * (size + 1), 1, with: 1) }
    return identity
  }
}
