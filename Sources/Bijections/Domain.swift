/// What one sample may be: a shape and the values allowed in it.
public struct Domain: Sendable, Hashable {
  /// One sample's shape.
  public var shape: Shape
  /// The values allowed.
  public var values: Values

  /// The samples of a shape, with all real values unless said otherwise.
  public init(_ shape: Shape, _ values: Values = .reals) {
    self.shape = shape
    self.values = values
  }

  /// A set of numbers.
  public enum Values: Sendable, Hashable, CustomStringConvertible {
    /// Every real number.
    case reals
    /// x > 0.
    case positive
    /// x ≥ 0.
    case nonNegative
    /// 0 < x < 1.
    case unitInterval
    /// a < x < b.
    case interval(Double, Double)

    /// The set in words.
    public var description: String {
      switch self {
      case .reals: "that are real numbers"
      case .positive: "greater than 0"
      case .nonNegative: "of at least 0"
      case .unitInterval: "between 0 and 1"
      case .interval(let a, let b): "between \(a) and \(b)"
      }
    }

    /// Whether a number lies outside. NaN does not: it stays in its row.
    func excludes(_ x: Double) -> Bool {
      switch self {
      case .reals: false
      case .positive: x <= 0
      case .nonNegative: x < 0
      case .unitInterval: x <= 0 || x >= 1
      case .interval(let a, let b): x <= a || x >= b
      }
    }
  }

  /// Throws `FlowError.outsideDomain` for the first value that is not allowed.
  public func check(_ inputs: Tensor, who: String) throws(FlowError) {
    if values == .reals { return }
    let numbers = inputs.doubles
    guard let position = numbers.firstIndex(where: values.excludes) else { return }
    throw .outsideDomain(
      who: who, expected: "\(values)", got: numbers[position], row: position / max(shape.count, 1))
  }
}
