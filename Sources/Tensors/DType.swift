/// The type of a tensor's elements.
public enum DType: UInt8, Sendable, Hashable, CustomStringConvertible {
  /// IEEE single precision, the default.
  case float32
  /// IEEE double precision.
  case float64
  /// Whole numbers, for frozen indices only: no arithmetic.
  case int32

  /// Bytes of one element.
  public var byteCount: Int { self == .float64 ? 8 : 4 }

  /// Whether elements are real numbers.
  public var isFloatingPoint: Bool { self != .int32 }

  /// The distance from 1 to the next number.
  ///
  /// - Precondition: a floating-point type.
  public var epsilon: Double {
    require(isFloatingPoint, "int32 has no epsilon")
    return self == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
  }

  /// `float32`, `float64` or `int32`.
  public var description: String {
    switch self {
    case .float32: "float32"
    case .float64: "float64"
    case .int32: "int32"
    }
  }
}
