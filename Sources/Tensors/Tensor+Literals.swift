/// A number or a list of lists of numbers in source code, such as `[[1, 2], [3, 4]]`.
public enum TensorLiteral: Sendable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByArrayLiteral
{
  /// A number.
  case number(Double)
  /// A list of literals of one shape.
  case list([TensorLiteral])

  /// A whole number.
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A list.
  public init(arrayLiteral elements: TensorLiteral...) { self = .list(elements) }

  /// The same numbers with the other sign.
  public static prefix func - (literal: TensorLiteral) -> TensorLiteral {
    switch literal {
    case .number(let x): .number(-x)
    case .list(let elements): .list(elements.map { -$0 })
    }
  }

  fileprivate var shape: Shape {
    guard case .list(let elements) = self else { return .scalar }
    guard let first = elements.first?.shape else { return [0] }
    require(elements.allSatisfy { $0.shape == first }, "the lists of a tensor have equal lengths")
    return first.inserting(elements.count, at: 0)
  }

  fileprivate func append(to values: inout [Double]) {
    switch self {
    case .number(let x): values.append(x)
    case .list(let elements): for element in elements { element.append(to: &values) }
    }
  }
}

extension Tensor: ExpressibleByArrayLiteral {
  /// Nested lists of numbers: `let weight: Tensor = [[1, 2], [3, 4]]`. The dtype is float32.
  ///
  /// - Precondition: lists of one level have equal lengths.
  public init(arrayLiteral elements: TensorLiteral...) { self.init(literal: .list(elements)) }

  /// Nested lists of numbers of any depth.
  ///
  /// - Precondition: lists of one level have equal lengths.
  public init(literal: TensorLiteral, dtype: DType = .float32) {
    var values: [Double] = []
    literal.append(to: &values)
    self.init(values, shape: literal.shape, dtype: dtype)
  }
}
