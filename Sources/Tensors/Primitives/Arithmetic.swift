import CKernels

/// A function of pairs of elements, with NumPy's broadcasting and with its two partial derivatives.
struct Pairwise: Primitive {
  /// The kernel of the function.
  let kernel: ck_operation
  /// g · ∂f/∂a, given g, a, b and y = f(a, b). It is nil where the derivative is zero everywhere.
  let chainA: (@Sendable (_ g: Tensor, _ a: Tensor, _ b: Tensor, _ y: Tensor) -> Tensor)?
  /// g · ∂f/∂b.
  let chainB: (@Sendable (_ g: Tensor, _ a: Tensor, _ b: Tensor, _ y: Tensor) -> Tensor)?

  func value(_ inputs: Operands) -> Operands {
    Operands(broadcastBinary(kernel, inputs.storage(0), inputs.storage(1)))
  }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let (a, b, y) = (inputs[0], inputs[1], outputs[0])
    let fromA = tangents.optional(0).flatMap { g in chainA.map { $0(g, a, b, y) } }
    let fromB = tangents.optional(1).flatMap { g in chainB.map { $0(g, a, b, y) } }
    return Operands(sum(fromA, fromB)?.broadcast(to: y.shape))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, a, b, y) = (g[0], inputs[0], inputs[1], outputs[0])
    return Operands(
      wanted[0] ? chainA?(g, a, b, y).summed(to: a.shape) : nil,
      wanted[1] ? chainB?(g, a, b, y).summed(to: b.shape) : nil)
  }
}

extension Pairwise {
  static let add = Pairwise(kernel: CK_ADD, chainA: { g, _, _, _ in g }, chainB: { g, _, _, _ in g })
  static let subtract = Pairwise(
    kernel: CK_SUBTRACT, chainA: { g, _, _, _ in g }, chainB: { g, _, _, _ in -g })
  static let multiply = Pairwise(
    kernel: CK_MULTIPLY, chainA: { g, _, b, _ in g * b }, chainB: { g, a, _, _ in g * a })
  static let divide = Pairwise(
    kernel: CK_DIVIDE, chainA: { g, _, b, _ in g / b }, chainB: { g, _, b, y in -(g * y) / b })
  /// Where both are equal, the first has the derivative.
  static let maximum = Pairwise(
    kernel: CK_MAXIMUM,
    chainA: { g, a, b, _ in select(where: a .>= b, g, 0) },
    chainB: { g, a, b, _ in select(where: a .>= b, 0, g) })
  /// Where both are equal, the first has the derivative.
  static let minimum = Pairwise(
    kernel: CK_MINIMUM,
    chainA: { g, a, b, _ in select(where: a .<= b, g, 0) },
    chainB: { g, a, b, _ in select(where: a .<= b, 0, g) })
  /// The derivative by the exponent is 0 where the base is not positive.
  static let power = Pairwise(
    kernel: CK_POW,
    chainA: { g, a, b, _ in select(where: b .== 0, 0, g * (b * pow(a, b - 1))) },
    chainB: { g, a, _, y in
      let isPositive = a .> 0
      return select(where: isPositive, g * y * log(select(where: isPositive, a, 1)), 0)
    })
  static let less = Pairwise(kernel: CK_LESS, chainA: nil, chainB: nil)
  static let lessOrEqual = Pairwise(kernel: CK_LESS_EQUAL, chainA: nil, chainB: nil)
  static let equal = Pairwise(kernel: CK_EQUAL, chainA: nil, chainB: nil)
  static let notEqual = Pairwise(kernel: CK_NOT_EQUAL, chainA: nil, chainB: nil)
}

// MARK: - Functions

/// aᵇ, elementwise.
public func pow(_ a: Tensor, _ b: Tensor) -> Tensor { Pairwise.power(a, b) }
/// aᵇ, elementwise.
public func pow(_ a: Tensor, _ b: Double) -> Tensor { pow(a, Tensor(b, dtype: a.dtype)) }
/// The larger of each pair of elements; NaN if either is NaN.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { Pairwise.maximum(a, b) }
/// The larger of each element and a number.
public func maximum(_ a: Tensor, _ b: Double) -> Tensor { maximum(a, Tensor(b, dtype: a.dtype)) }
/// The smaller of each pair of elements; NaN if either is NaN.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { Pairwise.minimum(a, b) }
/// The smaller of each element and a number.
public func minimum(_ a: Tensor, _ b: Double) -> Tensor { minimum(a, Tensor(b, dtype: a.dtype)) }

// A number takes the dtype of the tensor beside it. As a tensor of its own, a literal would have one dtype.
extension Tensor {
  /// Sum, broadcasting.
  public static func + (a: Tensor, b: Tensor) -> Tensor { Pairwise.add(a, b) }
  /// Sum.
  public static func + (a: Tensor, b: Double) -> Tensor { a + Tensor(b, dtype: a.dtype) }
  /// Sum.
  public static func + (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) + b }
  /// Difference, broadcasting.
  public static func - (a: Tensor, b: Tensor) -> Tensor { Pairwise.subtract(a, b) }
  /// Difference.
  public static func - (a: Tensor, b: Double) -> Tensor { a - Tensor(b, dtype: a.dtype) }
  /// Difference.
  public static func - (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) - b }
  /// Product element by element, broadcasting.
  public static func * (a: Tensor, b: Tensor) -> Tensor { Pairwise.multiply(a, b) }
  /// Product.
  public static func * (a: Tensor, b: Double) -> Tensor { b == 1 ? a : a * Tensor(b, dtype: a.dtype) }
  /// Product.
  public static func * (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) * b }
  /// Quotient, broadcasting.
  public static func / (a: Tensor, b: Tensor) -> Tensor { Pairwise.divide(a, b) }
  /// Quotient.
  public static func / (a: Tensor, b: Double) -> Tensor { a / Tensor(b, dtype: a.dtype) }
  /// Quotient.
  public static func / (a: Double, b: Tensor) -> Tensor { Tensor(a, dtype: b.dtype) / b }

  /// 1 where a < b, else 0.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { Pairwise.less(a, b) }
  /// 1 where a < b, else 0.
  public static func .< (a: Tensor, b: Double) -> Tensor { a .< Tensor(b, dtype: a.dtype) }
  /// 1 where a ≤ b, else 0.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { Pairwise.lessOrEqual(a, b) }
  /// 1 where a ≤ b, else 0.
  public static func .<= (a: Tensor, b: Double) -> Tensor { a .<= Tensor(b, dtype: a.dtype) }
  /// 1 where a > b, else 0.
  public static func .> (a: Tensor, b: Tensor) -> Tensor { b .< a }
  /// 1 where a > b, else 0.
  public static func .> (a: Tensor, b: Double) -> Tensor { Tensor(b, dtype: a.dtype) .< a }
  /// 1 where a ≥ b, else 0.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { b .<= a }
  /// 1 where a ≥ b, else 0.
  public static func .>= (a: Tensor, b: Double) -> Tensor { Tensor(b, dtype: a.dtype) .<= a }
  /// 1 where a = b, else 0.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { Pairwise.equal(a, b) }
  /// 1 where a = b, else 0.
  public static func .== (a: Tensor, b: Double) -> Tensor { a .== Tensor(b, dtype: a.dtype) }
  /// 1 where a ≠ b, else 0.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { Pairwise.notEqual(a, b) }
  /// 1 where a ≠ b, else 0.
  public static func .!= (a: Tensor, b: Double) -> Tensor { a .!= Tensor(b, dtype: a.dtype) }
}
