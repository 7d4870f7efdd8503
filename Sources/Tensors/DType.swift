import CKernels

/// The type of a tensor's elements.
public enum DType: UInt8, Sendable, Hashable, CustomStringConvertible {
  /// IEEE single precision, the default.
  case float32
  /// IEEE double precision.
  case float64
  /// 32-bit integers. They serve as indices only and have no arithmetic.
  case int32

  /// The size of one element in bytes.
  public var byteCount: Int { self == .float64 ? 8 : 4 }

  /// Whether elements are floating-point numbers.
  public var isFloatingPoint: Bool { self != .int32 }

  /// The distance from 1 to the next larger number.
  ///
  /// - Precondition: a floating-point type.
  public var epsilon: Double {
    require(isFloatingPoint, "int32 has no epsilon")
    return self == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
  }

  /// The number of this type that is nearest to x.
  package func rounded(_ x: Double) -> Double { self == .float32 ? Double(Float(x)) : x }
  /// The next larger number of this type.
  package func nextUp(_ x: Double) -> Double { self == .float64 ? x.nextUp : Double(Float(x).nextUp) }
  /// The next smaller number of this type.
  package func nextDown(_ x: Double) -> Double { -nextUp(-x) }
  /// The greatest finite number of this type.
  package var greatestFinite: Double {
    self == .float64 ? .greatestFiniteMagnitude : Double(Float.greatestFiniteMagnitude)
  }
  /// The least positive number of this type with full precision.
  package var leastNormal: Double {
    self == .float64 ? .leastNormalMagnitude : Double(Float.leastNormalMagnitude)
  }

  /// `float32`, `float64` or `int32`.
  public var description: String { self == .float32 ? "float32" : self == .float64 ? "float64" : "int32" }
}

/// A floating-point type that tensors hold: `Float` or `Double`.
public protocol Scalar: BinaryFloatingPoint, Sendable {
  /// The dtype of a tensor with such elements.
  static var dtype: DType { get }
}

extension Float: Scalar {
  /// `float32`.
  public static var dtype: DType { .float32 }
}

extension Double: Scalar {
  /// `float64`.
  public static var dtype: DType { .float64 }
}

extension DType {
  /// Calls `body` with `Float.self` or `Double.self`, so that one generic loop serves both types.
  ///
  /// ```swift
  /// func loop<S: Scalar>(_: S.Type) { ... }
  /// x.dtype.withScalar { loop($0) }
  /// ```
  ///
  /// - Precondition: a floating-point type.
  @inlinable
  @inline(__always)
  public func withScalar<Result>(_ body: (any Scalar.Type) throws -> Result) rethrows -> Result {
    switch self {
    case .float32: return try body(Float.self)
    case .float64: return try body(Double.self)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
  }

  /// The name of this type to the C kernels.
  @inline(__always)
  package var kernel: ck_type {
    require(self != .int32, "int32 tensors are indices: no arithmetic")
    return mover
  }

  /// The name of a type of this size to the C kernels that only move elements.
  @inline(__always)
  var mover: ck_type { self == .float64 ? CK_F64 : CK_F32 }
}
