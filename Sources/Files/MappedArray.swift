import Tensors

/// A memory-mapped NumPy array file. Rows are read on request, so the data may be larger than memory.
///
/// ```swift
/// let data = try MappedArray("large.npy")
/// for batch in data.batches(of: 256, key: Key(0)) {     // one pass, in an order drawn from the key
///   let rows = try data.rows(batch)                     // [256, ...]
/// }
/// ```
///
/// Types and conversions are those of ``NPY``. Rows of a file in Fortran order are scattered over it and
/// slower to read. The file must not be shortened while it is mapped.
public struct MappedArray: Sendable {
  /// The array's shape; axis 0 is the row.
  public let shape: Shape
  /// The dtype of the tensors of rows.
  public let dtype: DType

  private let file: MappedFile
  private let header: NPYHeader
  private let source: String

  /// Maps a file into memory.
  ///
  /// - Parameters:
  ///   - path: The path of an array file, `.npy`, with at least one axis.
  ///   - dtype: The dtype of the rows; by default that of the table in ``NPY``.
  /// - Throws: `FlowError.file` with the byte of the first error in the file.
  public init(_ path: String, dtype: DType? = nil) throws(FlowError) {
    file = try MappedFile(path)
    let bytes = BinaryBytes(bytes: file.bytes, source: path)
    header = try NPYHeader(bytes)
    guard header.shape.rank > 0 else {
      throw bytes.error(at: header.start, "expected an array of rows, got a single number")
    }
    _ = try header.elements(in: bytes)
    shape = header.shape
    self.dtype = dtype ?? header.type.dtype
    source = path
  }

  /// Whether the file holds float32 or float64 in C order, so that a row is one run of real numbers.
  package var holdsRealRows: Bool {
    !header.isFortranOrder && [.f32, .f64].contains(header.type)
      && file.bytes.count == header.start + header.byteCount
  }

  /// Reads a range of rows, shape `[range.count] + sample`.
  ///
  /// - Throws: `FlowError.file` for a whole number beyond int32, or a real number beyond float32.
  /// - Precondition: The rows exist.
  public func rows(_ range: Range<Int>) throws(FlowError) -> Tensor { try rows(Array(range)) }

  /// Reads rows in the order of their indices, shape `[indices.count] + sample`.
  ///
  /// - Throws: `FlowError.file` for a whole number beyond int32, or a real number beyond float32.
  /// - Precondition: The rows exist.
  public func rows(_ indices: [Int]) throws(FlowError) -> Tensor {
    let count = shape[0]
    require(
      indices.allSatisfy { $0 >= 0 && $0 < count }, "rows of an array of \(count) rows are in 0..<\(count)")
    let (sample, result) = (shape.sample.count, shape.replacing(0, by: indices.count))
    defer { withExtendedLifetime(file) {} }
    let elements = try header.elements(in: BinaryBytes(bytes: file.bytes, source: source))
    if !header.isFortranOrder {
      return try elements.tensor(result, rows: indices, of: sample, dtype: dtype)
    }
    // In Fortran order the row is the fastest index, and the sample's axes are reversed.
    let steps = fortranOffsets()
    let positions = indices.lazy.flatMap { row in (0..<sample).lazy.map { row + steps[$0] } }
    return try elements.tensor(result, at: positions, dtype: dtype)
  }

  /// The offset of each element of a sample from the row's first element, in Fortran order.
  private func fortranOffsets() -> [Int] {
    let sample = shape.sample
    let numbers = Tensor(
      (0..<sample.count).map { Double($0) }, shape: Shape(sample.sizes.reversed()), dtype: .float64)
    return numbers.permuted(axes: (0..<sample.rank).reversed()).doubles.map { shape[0] * Int($0) }
  }
}
