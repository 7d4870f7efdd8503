import Bijections
import Networks
import Randomness
import Tensors

/// A parameter of a distribution: a constant, or a learned value with an initial value.
///
/// ```swift
/// Laplace(location: 0, scale: [1, 2, 3])                    // constants, in frozen leaves
/// Laplace(location: .learned, scale: .learned(from: 2))     // learned leaves
/// ```
///
/// A value broadcasts to the shape that its distribution needs. Values are stored in double precision until
/// initialization states the dtype.
public struct Parameter: Sendable {
  let isLearned: Bool
  /// Computes the constant or initial value from a key and the standard value.
  private let start: @Sendable (_ key: Key, _ neutral: Tensor) -> Tensor

  /// A constant tensor, stored as a frozen leaf.
  public static func fixed(_ value: Tensor) -> Parameter { Parameter(isLearned: false) { _, _ in value } }
  /// A constant vector.
  static func fixed(_ numbers: [Double]) -> Parameter { .fixed(Tensor(numbers, dtype: .float64)) }
  /// A learned parameter that starts at its standard value, such as location 0 and scale 1.
  public static let learned = Parameter(isLearned: true) { _, neutral in neutral }
  /// A learned parameter that starts at a tensor.
  public static func learned(from value: Tensor) -> Parameter {
    Parameter(isLearned: true) { _, _ in value }
  }
  /// A learned parameter whose elements start at a number.
  public static func learned(from number: Double) -> Parameter {
    learned(from: Tensor(number, dtype: .float64))
  }
  /// A learned parameter with a random initial value, for instance for the components of a mixture.
  public static func learned(drawn initializer: Initializer) -> Parameter {
    Parameter(isLearned: true) { key, neutral in initializer(key, neutral.shape, dtype: .float64) }
  }

  /// The constant or initial value in float64, in the shape of `neutral`.
  func value(
    _ name: String, of who: String, _ key: Key, neutral: Tensor
  ) throws(FlowError) -> Tensor {
    let value = start(key, neutral).detached.cast(to: .float64)
    let (here, there) = (value.shape, neutral.shape)
    let fits =
      here.rank <= there.rank
      && zip(here.sizes.reversed(), there.sizes.reversed()).allSatisfy { $0 == $1 || $0 == 1 }
    if !fits {
      throw .mismatch(who: who, what: name, expected: "a shape that broadcasts to \(there)", got: "\(here)")
    }
    if !value.isFinite { throw .notFinite(who: who, what: name, row: nil) }
    return value.broadcast(to: there)
  }

  /// The leaf for a value in the site's dtype, learned or frozen.
  func leaf(_ value: Tensor, at site: Site) -> Params {
    isLearned ? .leaf(value.cast(to: site.dtype)) : .frozen(value.cast(to: site.dtype))
  }

  /// The leaf of a location, 0 by default.
  func location(of who: String, _ key: Key, at site: Site) throws(FlowError) -> Params {
    let value = try value("location", of: who, key, neutral: .zeros(site.inputDim, dtype: .float64))
    try site.check("location", value, of: who, orZero: true)
    return leaf(value, at: site)
  }

  /// The leaf of a positive parameter's logarithm, 0 by default.
  func logarithm(_ name: String, of who: String, _ key: Key, at site: Site) throws(FlowError) -> Params {
    let value = try value(name, of: who, key, neutral: .ones(site.inputDim, dtype: .float64))
    if let wrong = value.doubles.first(where: { $0 <= 0 }) {
      throw .mismatch(who: who, what: name, expected: "positive numbers", got: "\(wrong)")
    }
    try site.check(name, value, of: who)
    return leaf(log(value), at: site)
  }
}

extension Parameter: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// Makes a constant from a real number.
  public init(floatLiteral number: Double) { self = .fixed(Tensor(number, dtype: .float64)) }
  /// Makes a constant from a whole number.
  public init(integerLiteral number: Int) { self = .fixed(Tensor(Double(number), dtype: .float64)) }
  /// Makes a constant from a vector.
  public init(arrayLiteral numbers: Double...) { self = .fixed(Tensor(numbers, dtype: .float64)) }
}
