extension Tensor {
  /// Row-major values, rounded to the dtype.
  ///
  /// - Precondition: as many values as the shape holds; without a shape, one axis.
  public init(_ values: [Double], shape: Shape? = nil, dtype: DType = .float32) {
    if dtype == .int32 {
      self.init(ints: values.map { Int(Int32($0)) }, shape: shape)
      return
    }
    if dtype == .float64 {
      self.init(copying: values, shape ?? Shape(values.count))
      return
    }
    let storage = Tensor.room(for: values.count, shape, dtype)
    let elements = storage.pointer(to: Float.self)
    for i in values.indices { elements[i] = Float(values[i]) }
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
  public init(floats: [Float], shape: Shape) { self.init(copying: floats, shape) }

  /// Row-major double-precision values.
  ///
  /// - Precondition: as many values as the shape holds.
  public init(doubles: [Double], shape: Shape) { self.init(copying: doubles, shape) }

  /// Row-major integers, dtype int32, which serve as indices.
  ///
  /// - Precondition: as many values as the shape holds, each within 32 bits.
  public init(ints: [Int], shape: Shape? = nil) {
    let storage = Tensor.room(for: ints.count, shape, .int32)
    for i in ints.indices { storage.ints[i] = Int32(ints[i]) }
    self.init(storage)
  }

  private init<S: Scalar>(copying values: [S], _ shape: Shape) {
    let storage = Tensor.room(for: values.count, shape, S.dtype)
    values.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { storage.address.copyMemory(from: base, byteCount: bytes.count) }
    }
    self.init(storage)
  }

  private static func room(for count: Int, _ shape: Shape?, _ dtype: DType) -> Storage {
    let shape = shape ?? Shape([count])
    require(count == shape.count, "shape \(shape) needs \(shape.count) values, got \(count)")
    return Storage(shape: shape, dtype: dtype)
  }

  /// One value everywhere.
  public static func full(_ shape: Shape, _ value: Double, dtype: DType = .float32) -> Tensor {
    let storage = Storage(shape: shape, dtype: dtype)
    storage.fill(0..<storage.count, with: value)
    return Tensor(storage)
  }

  /// Zeros.
  public static func zeros(_ shape: Shape, dtype: DType = .float32) -> Tensor { full(shape, 0, dtype: dtype) }

  /// Ones.
  public static func ones(_ shape: Shape, dtype: DType = .float32) -> Tensor { full(shape, 1, dtype: dtype) }

  /// The identity matrix.
  public static func identity(_ size: Int, dtype: DType = .float32) -> Tensor {
    mask([size, size], dtype: dtype) { $0..<$0 + 1 }
  }

  /// A matrix of zeros that has ones in a range of columns of each row.
  package static func mask(_ shape: Shape, dtype: DType, ones: (_ row: Int) -> Range<Int>) -> Tensor {
    let (mask, columns) = (Tensor.zeros(shape, dtype: dtype), shape[1])
    for row in 0..<shape[0] {
      let range = ones(row)
      mask.storage.fill(row * columns + range.lowerBound..<row * columns + range.upperBound, with: 1)
    }
    return mask
  }
}
