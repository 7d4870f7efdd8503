import Bijections
import Networks
import Randomness
import Tensors

/// A parameter of a distribution: a value that stays, or one that is learned from a start.
///
/// ```swift
/// Laplace(location: 0, scale: [1, 2, 3])                    // stays: frozen leaves
/// Laplace(location: .learned, scale: .learned(from: 2))     // learned leaves
/// ```
///
/// A value broadcasts to the shape that its distribution asks for. Values are kept in double precision until the dtype is
/// known, as numbers and array literals are.
public struct Parameter: Sendable {
  private enum Start: Sendable {
    case neutral
    case value(Tensor)
    case drawn(Initializer)
  }
  private let start: Start
  let isLearned: Bool

  /// A value that stays.
  public static func fixed(_ value: Tensor) -> Parameter { Parameter(start: .value(value), isLearned: false) }
  /// Learned, from what the distribution's standard form has: location 0, scale 1.
  public static let learned = Parameter(start: .neutral, isLearned: true)
  /// Learned, from a value.
  public static func learned(from value: Tensor) -> Parameter {
    Parameter(start: .value(value), isLearned: true)
  }
  /// Learned, from a number everywhere.
  public static func learned(from number: Double) -> Parameter {
    learned(from: Tensor(number, dtype: .float64))
  }
  /// Learned, from a random value: what tells the components of a mixture apart.
  public static func learned(drawn initializer: Initializer) -> Parameter {
    Parameter(start: .drawn(initializer), isLearned: true)
  }

  /// The value or the start, of the shape of `neutral` and in float64.
  func value(
    _ name: String, of who: String, _ key: Key, neutral: Tensor
  ) throws(FlowError) -> Tensor {
    let value =
      switch start {
      case .neutral: neutral
      case .value(let value): value.detached.cast(to: .float64)
      case .drawn(let initializer): initializer(key, neutral.shape, dtype: .float64)
      }
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

  /// The leaf for what a value became.
  func leaf(_ value: Tensor, at site: Site) -> Params {
    isLearned ? .leaf(value.cast(to: site.dtype)) : .frozen(value.cast(to: site.dtype))
  }

  /// The leaf of a location: 0 where nothing else is said.
  func location(of who: String, _ key: Key, at site: Site) throws(FlowError) -> Params {
    leaf(try value("location", of: who, key, neutral: .zeros(site.inputDim, dtype: .float64)), at: site)
  }

  /// The leaf of a positive parameter's logarithm: 0 where nothing else is said.
  func logarithm(_ name: String, of who: String, _ key: Key, at site: Site) throws(FlowError) -> Params {
    let value = try value(name, of: who, key, neutral: .ones(site.inputDim, dtype: .float64))
    if let wrong = value.doubles.first(where: { $0 <= 0 }) {
      throw .mismatch(who: who, what: name, expected: "positive numbers", got: "\(wrong)")
    }
    return leaf(log(value), at: site)
  }
}

extension Parameter: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// A number that stays.
  public init(floatLiteral number: Double) { self = .fixed(Tensor(number, dtype: .float64)) }
  /// A number that stays.
  public init(integerLiteral number: Int) { self = .fixed(Tensor(Double(number), dtype: .float64)) }
  /// A vector that stays.
  public init(arrayLiteral numbers: Double...) { self = .fixed(Tensor(numbers, dtype: .float64)) }
}
