import Tensors

/// The set of allowed samples: a shape, and the allowed values.
///
/// As a codomain, it holds a layer's outputs: where rounding leaves the set, the output is the nearest number
/// of the dtype inside, and its derivative is as elsewhere. The ends of an interval are rounded to the dtype.
public struct Domain: Sendable, Hashable {
  /// One sample's shape.
  public var shape: Shape
  /// The allowed values.
  public var values: Values

  /// All samples of a shape with allowed values, by default all real ones.
  public init(_ shape: Shape, _ values: Values = .reals) { (self.shape, self.values) = (shape, values) }

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
    /// Increasing numbers along the last axis.
    case ordered
    /// Positive numbers whose sum along the last axis is 1.
    case simplex
    /// Lower triangular matrices with a positive diagonal and rows of length 1.
    case correlationCholesky
    /// Symmetric positive definite matrices.
    case positiveDefinite
    /// Vectors of length 1 along the last axis: points of a sphere.
    case unitVectors

    /// A description of the set for error messages.
    public var description: String {
      switch self {
      case .reals: "that are real numbers"
      case .positive: "greater than 0"
      case .nonNegative: "of at least 0"
      case .unitInterval: "between 0 and 1"
      case .interval(let a, let b): "between \(shortest(a)) and \(shortest(b))"
      case .ordered: "that rise along the last axis"
      case .simplex: "greater than 0 with sum 1 along the last axis"
      case .correlationCholesky: "of a lower triangle with a positive diagonal and rows of length 1"
      case .positiveDefinite: "of a symmetric positive definite matrix"
      case .unitVectors: "of length 1 along the last axis"
      }
    }

    /// Whether the set restricts each number by itself.
    var isOfSingleNumbers: Bool {
      switch self {
      case .ordered, .simplex, .correlationCholesky, .positiveDefinite, .unitVectors: false
      default: true
      }
    }

    /// Whether a number by itself is not allowed. NaN counts as allowed: it stays in its row.
    func excludes(_ x: Double) -> Bool {
      switch self {
      case .reals, .ordered, .correlationCholesky, .positiveDefinite, .unitVectors: false
      case .positive, .simplex: x <= 0
      case .nonNegative: x < 0
      case .unitInterval: x <= 0 || x >= 1
      case .interval(let a, let b): x <= a || x >= b
      }
    }
  }

  /// Throws `FlowError.outsideDomain` for the first value that is not allowed. A graph is for all values.
  public func check(_ inputs: Tensor, who: String) throws(FlowError) {
    if values == .reals || inputs.isSymbolic { return }
    let numbers = inputs.doubles
    guard let position = numbers.firstIndex(where: values.excludes) ?? firstMisplaced(numbers) else { return }
    throw .outsideDomain(
      who: who, expected: "\(values)", got: numbers[position], row: position / max(shape.count, 1))
  }
}

/// The shortest decimal of a number, which may come from float32.
private func shortest(_ x: Double) -> String { Double(Float(x)) == x ? "\(Float(x))" : "\(x)" }
