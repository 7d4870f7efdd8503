import Tensors

/// Reads and writes NumPy's array files, `.npy`.
///
/// ```swift
/// let data = try NPY.read("data.npy")          // float32 stays float32, float64 float64
/// try NPY.write(draws, to: "draws.npy")        // numpy.load("draws.npy")
/// ```
///
/// The reader supports format versions 1 to 3, both byte orders, C and Fortran order, and these types:
///
/// | in the file | without a `dtype` | with one |
/// |---|---|---|
/// | `f2`, `f4` | float32, exactly | rounded |
/// | `f8` | float64 | rounded; an error where float32 gives infinity or 0 |
/// | `b1`, `i1` to `i8`, `u1` to `u8` | int32; an error where 32 bits are too few | rounded to the nearest |
///
/// Arrays of objects, text, complex numbers and records are errors. An array of objects can run any program
/// when read.
public enum NPY {
  /// Reads an array from a file.
  ///
  /// - Parameters:
  ///   - path: The file's path.
  ///   - dtype: The dtype of the result; by default that of the table above.
  /// - Throws: `FlowError.file` with the byte of the first error in the file.
  public static func read(_ path: String, dtype: DType? = nil) throws(FlowError) -> Tensor {
    try parse(bytes: FileBytes.read(path), dtype: dtype, source: path)
  }

  /// Parses an array from the bytes of a file, as ``read(_:dtype:)`` does. Errors name the bytes `source`.
  public static func parse(bytes: [UInt8], dtype: DType? = nil, source: String = "array") throws(FlowError)
    -> Tensor
  {
    try BinaryBytes.with(bytes, source: source) { (file) throws(FlowError) in try parse(file, dtype: dtype) }
  }

  /// Writes an array to a file atomically, in version 1, little-endian and in C order.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written.
  public static func write(_ tensor: Tensor, to path: String) throws(FlowError) {
    try FileBytes.write(bytes(of: tensor), to: path)
  }

  /// The bytes of an array file.
  public static func bytes(of tensor: Tensor) -> [UInt8] {
    header(tensor.shape, tensor.dtype) + littleEndianBytes(of: tensor)
  }

  /// The bytes of an array file before its numbers.
  static func header(_ shape: Shape, _ dtype: DType) -> [UInt8] {
    let type = dtype == .float64 ? "f8" : dtype == .float32 ? "f4" : "i4"
    let sizes = shape.sizes.map(String.init).joined(separator: ", ") + (shape.rank == 1 ? "," : "")
    var header = "{'descr': '<\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    // The array starts at a multiple of 64, as NumPy aligns it for mapping. A line break ends the header.
    let padding = 63 - (10 + header.utf8.count) % 64
    header += String(repeating: " ", count: padding) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + littleEndian(header.utf8.count, bytes: 2)
      + Array(header.utf8)
  }

  static func parse(_ file: BinaryBytes, dtype: DType?) throws(FlowError) -> Tensor {
    let header = try NPYHeader(file)
    let elements = try header.elements(in: file)
    let end = header.start + header.byteCount
    guard file.count == end else {
      throw file.error(
        at: end,
        "expected the end after an array of shape \(header.shape), got \(file.count - end) more bytes")
    }
    let stored = header.isFortranOrder ? Shape(header.shape.sizes.reversed()) : header.shape
    let tensor = try elements.tensor(stored, dtype: dtype ?? header.type.dtype)
    return header.isFortranOrder ? tensor.permuted(axes: (0..<stored.rank).reversed()) : tensor
  }
}

/// The elements of a tensor as little-endian bytes, in row-major order.
func littleEndianBytes(of tensor: Tensor) -> [UInt8] {
  let width = tensor.dtype.byteCount
  var bytes = tensor.withBytes { Array($0) }
  if !isLittleEndianMachine {
    for start in stride(from: 0, to: bytes.count, by: width) { bytes[start..<start + width].reverse() }
  }
  return bytes
}
