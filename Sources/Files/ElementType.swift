import Tensors

/// The type of the numbers in a binary file. Safetensors files have the same names in capital letters.
enum ElementType: String, CaseIterable {
  case f16, bf16, f32, f64
  case i8, i16, i32, i64, u8, u16, u32, u64, bool

  var byteCount: Int {
    switch self {
    case .i8, .u8, .bool: 1
    case .f16, .bf16, .i16, .u16: 2
    case .f32, .i32, .u32: 4
    case .f64, .i64, .u64: 8
    }
  }

  var isFloatingPoint: Bool { [.f16, .bf16, .f32, .f64].contains(self) }

  /// The dtype that holds these numbers without conversion; int32 for all whole numbers.
  var dtype: DType { self == .f64 ? .float64 : isFloatingPoint ? .float32 : .int32 }

  init(_ dtype: DType) { self = dtype == .float32 ? .f32 : dtype == .float64 ? .f64 : .i32 }
}

/// A run of adjacent numbers in a binary file.
struct Elements {
  private let type: ElementType
  private let file: BinaryBytes
  private let start: Int
  private let isBigEndian: Bool
  private let content: UnsafeRawBufferPointer

  /// Finds `count` bytes of numbers at a byte of a file, or throws.
  init(
    _ type: ElementType, in file: BinaryBytes, at start: Int, count: Int, _ what: String,
    isBigEndian: Bool = false
  ) throws(FlowError) {
    (self.type, self.file, self.start, self.isBigEndian) = (type, file, start, isBigEndian)
    content = try file.slice(start, count: count, what)
  }

  /// The tensor of all numbers in row-major order. A conversion error ends in `note`.
  func tensor(_ shape: Shape, dtype: DType, note: String = "") throws(FlowError) -> Tensor {
    guard type == ElementType(dtype), !isBigEndian || type.byteCount == 1, isLittleEndianMachine else {
      return try tensor(shape, at: 0..<shape.count, dtype: dtype, note: note)
    }
    return Tensor(shape: shape, dtype: dtype) { $0.copyMemory(from: content) }
  }

  /// The tensor of some rows of so many adjacent numbers each, converted to a dtype.
  func tensor(
    _ shape: Shape, rows: [Int], of size: Int, dtype: DType
  ) throws(FlowError) -> Tensor {
    guard type == ElementType(dtype), !isBigEndian, isLittleEndianMachine, let base = content.baseAddress
    else {
      let positions = rows.lazy.flatMap { row in (0..<size).lazy.map { row * size + $0 } }
      return try tensor(shape, at: positions, dtype: dtype)
    }
    let bytes = size * type.byteCount
    return Tensor(shape: shape, dtype: dtype) { target in
      for (i, row) in rows.enumerated() {
        (target.baseAddress! + i * bytes).copyMemory(from: base + row * bytes, byteCount: bytes)
      }
    }
  }

  /// The tensor of the numbers at some positions, converted to a dtype.
  func tensor(
    _ shape: Shape, at positions: some Sequence<Int>, dtype: DType, note: String = ""
  ) throws(FlowError) -> Tensor {
    var misfit: (position: Int, value: String)?
    let tensor = Tensor(shape: shape, dtype: dtype) { target in
      misfit = place(positions, in: target, as: dtype)
      if misfit != nil { target.initializeMemory(as: UInt8.self, repeating: 0) }
    }
    guard let misfit else { return tensor }
    throw file.error(
      at: start + misfit.position * type.byteCount,
      "expected a number that \(dtype) holds, got \(misfit.value)\(note)")
  }

  /// Writes the numbers at some positions as a tensor's elements, rounded to the nearest value of its dtype.
  ///
  /// Stops at the first number beyond the dtype's range and returns its position and value: a whole number of
  /// more than 32 bits, or a real number that float32 lacks.
  private func place(
    _ positions: some Sequence<Int>, in target: UnsafeMutableRawBufferPointer, as dtype: DType
  ) -> (position: Int, value: String)? {
    switch type {
    case .f16: reals(positions, target, dtype) { float(half: bits($0)) }
    case .bf16: reals(positions, target, dtype) { Float(bitPattern: UInt32(bits($0) as UInt16) << 16) }
    case .f32: reals(positions, target, dtype) { Float(bitPattern: bits($0)) }
    case .f64: reals(positions, target, dtype) { Double(bitPattern: bits($0)) }
    case .i8: integers(positions, target, dtype) { bits($0) as Int8 }
    case .i16: integers(positions, target, dtype) { bits($0) as Int16 }
    case .i32: integers(positions, target, dtype) { bits($0) as Int32 }
    case .i64: integers(positions, target, dtype) { bits($0) as Int64 }
    case .u8: integers(positions, target, dtype) { bits($0) as UInt8 }
    case .u16: integers(positions, target, dtype) { bits($0) as UInt16 }
    case .u32: integers(positions, target, dtype) { bits($0) as UInt32 }
    case .u64: integers(positions, target, dtype) { bits($0) as UInt64 }
    case .bool: integers(positions, target, dtype) { bits($0) == 0 as UInt8 ? 0 : 1 as Int8 }
    }
  }

  private func bits<Bits: FixedWidthInteger>(_ position: Int) -> Bits {
    let raw = content.loadUnaligned(fromByteOffset: position * MemoryLayout<Bits>.size, as: Bits.self)
    return isBigEndian ? Bits(bigEndian: raw) : Bits(littleEndian: raw)
  }

  private func reals<Number: BinaryFloatingPoint>(
    _ positions: some Sequence<Int>, _ target: UnsafeMutableRawBufferPointer, _ dtype: DType,
    _ number: (Int) -> Number
  ) -> (Int, String)? {
    switch dtype {
    case .float32:
      fill(target, positions, number) { value in
        let isLost = Float(value).isInfinite && value.isFinite || Float(value) == 0 && value != 0
        return isLost ? nil : Float(value)
      }
    case .float64: fill(target, positions, number) { Double($0) }
    case .int32: fill(target, positions, number) { Int32(exactly: $0) }
    }
  }

  private func integers<Number: FixedWidthInteger>(
    _ positions: some Sequence<Int>, _ target: UnsafeMutableRawBufferPointer, _ dtype: DType,
    _ number: (Int) -> Number
  ) -> (Int, String)? {
    switch dtype {
    case .float32: fill(target, positions, number) { Float($0) }
    case .float64: fill(target, positions, number) { Double($0) }
    case .int32: fill(target, positions, number) { Int32(exactly: $0) }
    }
  }

  private func fill<Number, Element>(
    _ target: UnsafeMutableRawBufferPointer, _ positions: some Sequence<Int>, _ number: (Int) -> Number,
    as element: (Number) -> Element?
  ) -> (Int, String)? {
    var offset = 0
    for position in positions {
      let number = number(position)
      guard let value = element(number) else { return (position, "\(number)") }
      target.storeBytes(of: value, toByteOffset: offset, as: Element.self)
      offset += MemoryLayout<Element>.size
    }
    return nil
  }
}

/// Whether the machine's byte order is that of the files.
let isLittleEndianMachine = 1.littleEndian == 1

/// Converts a number in IEEE half precision: 1 bit of sign, 5 of exponent, 10 of fraction.
private func float(half bits: UInt16) -> Float {
  let (sign, exponent, fraction) = (UInt32(bits >> 15) << 31, UInt32(bits >> 10 & 31), UInt32(bits & 0x3FF))
  switch exponent {
  case 0: return sign == 0 ? Float(fraction) * 0x1p-24 : -Float(fraction) * 0x1p-24
  case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}
