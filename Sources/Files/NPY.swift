import Tensors

/// NumPy's file of one array.
///
/// ```swift
/// let data = try NPY.read("data.npy")          // float32 stays float32, float64 float64
/// try NPY.write(draws, to: "draws.npy")        // numpy.load("draws.npy")
/// ```
///
/// Reading knows format versions 1 to 3, both byte orders, C and Fortran order, and these types:
///
/// | in the file | without a `dtype` | with one |
/// |---|---|---|
/// | `f2`, `f4` | float32, exactly | rounded |
/// | `f8` | float64 | rounded; an error where float32 would overflow |
/// | `b1`, `i1`, `u1`, `i2`, `u2`, `i4`, `u4`, `i8`, `u8` | int32; an error where 32 bits are too few | rounded to the nearest |
///
/// Objects, text, complex numbers and records are refused: an array of objects is a program, not data.
public enum NPY {
  /// The array in a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - dtype: What to convert to; by default as the table above says.
  /// - Throws: `FlowError.file` with the byte at which the file is something else than expected.
  public static func read(_ path: String, dtype: DType? = nil) throws(FlowError) -> Tensor {
    try parse(bytes: FileBytes.read(path), dtype: dtype, source: path)
  }

  /// The array in the bytes of a file. Errors call it `source`; the rest is as in ``read(_:dtype:)``.
  public static func parse(bytes: [UInt8], dtype: DType? = nil, source: String = "array") throws(FlowError)
    -> Tensor
  {
    try withBytes(of: bytes) { (buffer) throws(FlowError) in
      try parse(BinaryBytes(bytes: buffer, source: source), dtype: dtype)
    }
  }

  /// Writes an array, whole or not at all: version 1, little-endian, C order.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written.
  public static func write(_ tensor: Tensor, to path: String) throws(FlowError) {
    try FileBytes.write(bytes(of: tensor), to: path)
  }

  /// The bytes of a file that holds an array.
  public static func bytes(of tensor: Tensor) -> [UInt8] {
    let type = tensor.dtype == .float64 ? "f8" : tensor.dtype == .float32 ? "f4" : "i4"
    let sizes = tensor.shape.sizes
    let shape =
      sizes.count == 1 ? "(\(sizes[0]),)" : "(" + sizes.map(String.init).joined(separator: ", ") + ")"
    var header = "{'descr': '<\(type)', 'fortran_order': False, 'shape': \(shape), }"
    // The array starts at a multiple of 64, as NumPy aligns it for mapping; a line break ends the header.
    let padding = 63 - (10 + header.utf8.count) % 64
    header += String(repeating: " ", count: padding) + "\n"
    let count = header.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(count & 255), UInt8(count >> 8)] + Array(header.utf8)
      + littleEndianBytes(of: tensor)
  }

  static func parse(_ file: BinaryBytes, dtype: DType?) throws(FlowError) -> Tensor {
    let header = try NPYHeader(file)
    let content = try file.slice(header.start, count: header.byteCount, "an array of \(header.shape)")
    guard file.count == header.start + header.byteCount else {
      throw file.error(
        at: header.start + header.byteCount,
        "expected the end after an array of shape \(header.shape), got \(file.count - header.start - header.byteCount) more bytes"
      )
    }
    let elements = Elements(type: header.type, content: content, isBigEndian: header.isBigEndian)
    let stored = header.isFortranOrder ? Shape(header.shape.sizes.reversed()) : header.shape
    let target = dtype ?? header.type.dtype
    switch elements.tensor(stored, dtype: target) {
    case .success(let tensor):
      return header.isFortranOrder
        ? tensor.permuted(axes: Array((0..<stored.rank).reversed())) : tensor
    case .failure(let misfit):
      throw file.error(
        at: header.start + misfit.position * header.type.byteCount,
        "expected a number that \(target) holds, got \(misfit.value)")
    }
  }
}

/// The elements of a tensor in row-major order, little-endian.
func littleEndianBytes(of tensor: Tensor) -> [UInt8] {
  let width = tensor.dtype.byteCount
  var bytes = tensor.withBytes { Array($0) }
  if !isLittleEndianMachine {
    for start in stride(from: 0, to: bytes.count, by: width) { bytes[start..<start + width].reverse() }
  }
  return bytes
}

/// Calls `body` with the bytes of an array in place.
func withBytes<Result>(
  of bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(FlowError) -> Result
) throws(FlowError) -> Result {
  // `withUnsafeBytes` forgets which error its closure throws.
  let result: Swift.Result<Result, FlowError> = bytes.withUnsafeBytes { buffer in
    do throws(FlowError) { return .success(try body(buffer)) } catch { return .failure(error) }
  }
  return try result.get()
}
