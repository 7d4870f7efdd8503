/// Up to four tensors in line: what a primitive takes and gives. In derivatives, nil means zero.
public struct Operands: Sendable {
  private var first, second, third, fourth: Tensor?
  /// How many there are, nil ones included.
  public private(set) var count: Int

  /// One.
  public init(_ a: Tensor?) { (first, second, third, fourth, count) = (a, nil, nil, nil, 1) }
  /// Two.
  public init(_ a: Tensor?, _ b: Tensor?) { (first, second, third, fourth, count) = (a, b, nil, nil, 2) }
  /// Three.
  public init(_ a: Tensor?, _ b: Tensor?, _ c: Tensor?) {
    (first, second, third, fourth, count) = (a, b, c, nil, 3)
  }
  /// Four.
  public init(_ a: Tensor?, _ b: Tensor?, _ c: Tensor?, _ d: Tensor?) {
    (first, second, third, fourth, count) = (a, b, c, d, 4)
  }
  /// `count` absent ones.
  public init(absent count: Int) {
    (first, second, third, fourth) = (nil, nil, nil, nil)
    self.count = count
  }

  /// The tensor at a position that is not absent.
  public subscript(_ i: Int) -> Tensor {
    guard let tensor = optional(i) else { fatalError("operand \(i) is absent") }
    return tensor
  }

  /// The tensor at a position, or nil.
  public func optional(_ i: Int) -> Tensor? {
    switch i {
    case 0: first
    case 1: second
    case 2: third
    default: fourth
    }
  }

  /// The values in memory at a position that is not absent.
  @inline(__always)
  func storage(_ i: Int) -> Storage {
    switch (i == 0 ? first : i == 1 ? second : i == 2 ? third : fourth)?.payload {
    case .concrete(let storage)?: storage
    case .dual?, .traced?: self[i].storage
    case nil: fatalError("operand \(i) is absent")
    }
  }

  /// Sets the tensor at a position.
  public mutating func set(_ i: Int, to tensor: Tensor?) {
    switch i {
    case 0: first = tensor
    case 1: second = tensor
    case 2: third = tensor
    default: fourth = tensor
    }
  }

  /// The operand that the innermost transformation follows, or nil when all are values in memory.
  var innermost: Tensor? {
    var result: Tensor?
    var highest = 0
    for i in 0..<count {
      guard let tensor = optional(i) else { continue }
      let level = tensor.level
      if level > highest { (result, highest) = (tensor, level) }
    }
    return result
  }

  /// Whether all are values in memory.
  public var areConcrete: Bool { innermost == nil }

  var isAllAbsent: Bool { first == nil && second == nil && third == nil && fourth == nil }
}
