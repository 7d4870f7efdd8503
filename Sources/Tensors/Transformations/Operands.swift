/// The inputs, outputs or derivatives of a primitive: any number of tensors, each of which may be absent.
///
/// An absent derivative means zero. Up to four tensors are stored in line, without an allocation.
public struct Operands: Sendable {
  private var first, second, third: Tensor?
  private var rest: Rest
  /// The number of tensors, absent ones included.
  public private(set) var count: Int

  /// The tensors from the fourth on.
  private enum Rest {
    case absent
    case fourth(Tensor)
    case list([Tensor?])

    init(_ fourth: Tensor?) { self = fourth.map { .fourth($0) } ?? .absent }
  }

  /// One tensor.
  public init(_ a: Tensor?) { (first, second, third, rest, count) = (a, nil, nil, .absent, 1) }
  /// Two tensors.
  public init(_ a: Tensor?, _ b: Tensor?) { (first, second, third, rest, count) = (a, b, nil, .absent, 2) }
  /// Three tensors.
  public init(_ a: Tensor?, _ b: Tensor?, _ c: Tensor?) {
    (first, second, third, rest, count) = (a, b, c, .absent, 3)
  }
  /// Four tensors.
  public init(_ a: Tensor?, _ b: Tensor?, _ c: Tensor?, _ d: Tensor?) {
    (first, second, third, rest, count) = (a, b, c, Rest(d), 4)
  }
  /// `count` absent tensors.
  public init(absent count: Int) {
    (first, second, third) = (nil, nil, nil)
    rest = count <= 4 ? .absent : .list(Array(repeating: nil, count: count - 3))
    self.count = count
  }
  /// Any number of tensors.
  public init(_ tensors: [Tensor?]) {
    self.init(absent: tensors.count)
    for (i, tensor) in tensors.enumerated() { set(i, to: tensor) }
  }

  /// The tensor at a position.
  ///
  /// - Precondition: it is not absent.
  public subscript(_ i: Int) -> Tensor {
    guard let tensor = optional(i) else { fatalError("operand \(i) is absent") }
    return tensor
  }

  /// The tensor at a position, or nil.
  public func optional(_ i: Int) -> Tensor? {
    switch i {
    case 0: return first
    case 1: return second
    case 2: return third
    default:
      switch rest {
      case .absent: return nil
      case .fourth(let tensor): return tensor
      case .list(let tensors): return tensors[i - 3]
      }
    }
  }

  /// A pointer to the elements of the tensor at a position, for reading.
  ///
  /// It is valid as long as these operands are: until the rule returns that was given them.
  ///
  /// - Precondition: the tensor is not absent, and its elements have this type.
  public func pointer<S: Scalar>(_ i: Int, to type: S.Type = S.self) -> UnsafePointer<S> {
    UnsafePointer(storage(i).pointer(to: type))
  }

  /// The values in memory of the tensor at a position.
  @inline(__always)
  package func storage(_ i: Int) -> Storage {
    switch (i == 0 ? first : i == 1 ? second : i == 2 ? third : optional(i))?.payload {
    case .concrete(let storage)?: storage
    case .dual?, .traced?, .symbolic?: self[i].storage
    case nil: fatalError("operand \(i) is absent")
    }
  }

  /// Sets the tensor at a position.
  public mutating func set(_ i: Int, to tensor: Tensor?) {
    switch i {
    case 0: first = tensor
    case 1: second = tensor
    case 2: third = tensor
    default:
      guard case .list(var tensors) = rest else {
        rest = Rest(tensor)
        return
      }
      tensors[i - 3] = tensor
      rest = .list(tensors)
    }
  }

  /// The operand of the innermost transformation, or nil when all are values in memory.
  var innermost: Tensor? {
    // Most operands are values in memory: whether they are is asked without taking them out.
    if max(level(first), level(second), level(third)) == 0, case .absent = rest { return nil }
    var result: Tensor?
    var highest = 0
    for i in 0..<count {
      guard let tensor = optional(i) else { continue }
      let level = tensor.level
      if level > highest { (result, highest) = (tensor, level) }
    }
    return result
  }

  @inline(__always)
  private func level(_ tensor: Tensor?) -> Int {
    switch tensor?.payload {
    case nil, .concrete?: 0
    case .dual(let dual)?: dual.level
    case .traced(let traced)?: traced.tape.level
    case .symbolic(let symbolic)?: symbolic.graph.level
    }
  }

  var isAllAbsent: Bool {
    if first != nil || second != nil || third != nil { return false }
    switch rest {
    case .absent: return true
    case .fourth: return false
    case .list(let tensors): return tensors.allSatisfy { $0 == nil }
    }
  }

  /// The same tensors as views of this thread's own.
  var ownViews: Operands {
    var views = self
    for i in 0..<count { views.set(i, to: self[i].ownView) }
    return views
  }

  /// All tensors in order.
  var all: [Tensor?] { (0..<count).map(optional) }
}
