/// The sizes of the axes of a tensor or of one sample. `5` and `[32, 32, 3]` are shapes.
///
/// A shape has at most six axes, stored in line. A size is at most 2³¹ − 1.
///
/// - Precondition: rank at most 6, no negative size.
public struct Shape: Sendable, Hashable {
  // In pairs: wider vectors would align objects that hold a shape to more than 8 bytes, which are slow to
  // make.
  private var pairs: Pairs
  private typealias Pairs = (SIMD2<Int32>, SIMD2<Int32>, SIMD2<Int32>, SIMD2<Int32>)

  /// Sizes in lanes 0 to 5, with zero for a missing axis, and the rank in lane 7.
  private var lanes: SIMD8<Int32> {
    get { unsafeBitCast(pairs, to: SIMD8<Int32>.self) }
    set { pairs = unsafeBitCast(newValue, to: Pairs.self) }
  }

  /// The largest rank a shape can have.
  public static let maximumRank = 6

  /// The shape with these sizes.
  public init(_ sizes: [Int]) {
    require(sizes.count <= Shape.maximumRank, "a shape has at most 6 axes, got \(sizes)")
    var lanes = SIMD8<Int32>.zero
    for axis in sizes.indices {
      let size = sizes[axis]
      require(size >= 0 && size <= Int(Int32.max), "a size must be in 0...2^31-1, got \(sizes)")
      lanes[axis] = Int32(truncatingIfNeeded: size)
    }
    lanes[7] = Int32(truncatingIfNeeded: sizes.count)
    self.init(lanes: lanes)
  }

  /// Makes a shape of one or two axes. It makes no array, which a literal in another module does.
  package init(_ first: Int, _ second: Int? = nil) {
    require(first >= 0 && second ?? 0 >= 0, "sizes are not negative, got \(first) and \(second ?? 0)")
    var lanes = SIMD8<Int32>.zero
    (lanes[0], lanes[1], lanes[7]) = (Int32(first), Int32(second ?? 0), second == nil ? 1 : 2)
    self.init(lanes: lanes)
  }

  @inline(__always)
  private init(lanes: SIMD8<Int32>) {
    pairs = (.zero, .zero, .zero, .zero)
    self.lanes = lanes
  }

  /// Compares ranks and sizes.
  public static func == (a: Shape, b: Shape) -> Bool {
    // As words, which debug builds compare faster than lanes.
    typealias Words = (UInt64, UInt64, UInt64, UInt64)
    let (a, b) = (unsafeBitCast(a.pairs, to: Words.self), unsafeBitCast(b.pairs, to: Words.self))
    return (a.0 ^ b.0) | (a.1 ^ b.1) | (a.2 ^ b.2) | (a.3 ^ b.3) == 0
  }
  /// Hashes rank and sizes.
  public func hash(into hasher: inout Hasher) { hasher.combine(lanes) }

  /// The shape of a single number.
  public static let scalar = Shape([])

  /// The number of axes.
  public var rank: Int { Int(pairs.3[1]) }

  /// The number of elements, which is the product of the sizes; 1 for a scalar.
  public var count: Int {
    let lanes = lanes
    var product = 1
    for axis in 0..<rank { product *= Int(lanes[axis]) }
    return product
  }

  /// The sizes as an array.
  public var sizes: [Int] { (0..<rank).map { Int(lanes[$0]) } }

  /// The size of an axis. Negative axes count from the end.
  public subscript(axis: Int) -> Int {
    get { Int(lanes[resolved(axis)]) }
    set {
      require(newValue >= 0 && newValue <= Int(Int32.max), "a size must be in 0...2^31-1, got \(newValue)")
      lanes[resolved(axis)] = Int32(truncatingIfNeeded: newValue)
    }
  }

  /// The axis counted from the front.
  ///
  /// - Precondition: the axis exists.
  public func resolved(_ axis: Int) -> Int {
    let fromFront = axis < 0 ? axis + rank : axis
    guard fromFront >= 0 && fromFront < rank else {
      fatalError("axis \(axis) does not exist in shape \(self)")
    }
    return fromFront
  }
}

extension Shape: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// A shape of one axis.
  @inline(__always)
  public init(integerLiteral size: Int) { self.init([size]) }
  /// A shape of several axes.
  @inline(__always)
  public init(arrayLiteral sizes: Int...) { self.init(sizes) }
}

extension Shape: CustomStringConvertible {
  /// The sizes in brackets: `[256, 5]`.
  public var description: String { sizes.description }
}

extension Shape {
  /// The product of the sizes of a range of axes.
  package func count(of axes: Range<Int>) -> Int {
    var product = 1
    for axis in axes { product *= self[axis] }
    return product
  }

  /// This shape with a batch axis of size `rows` in front.
  public func batched(_ rows: Int) -> Shape { inserting(rows, at: 0) }

  /// The shape of one sample, without the batch axis.
  public var sample: Shape { removing(0) }

  /// The shape with one more axis.
  public func inserting(_ size: Int, at axis: Int) -> Shape {
    var sizes = sizes
    sizes.insert(size, at: axis < 0 ? axis + rank + 1 : axis)
    return Shape(sizes)
  }

  /// The shape without an axis.
  public func removing(_ axis: Int) -> Shape {
    var result = lanes
    for i in resolved(axis)..<Shape.maximumRank { result[i] = i + 1 < rank ? result[i + 1] : 0 }
    result[7] -= 1
    return Shape(lanes: result)
  }

  /// The shape of the axes from one on.
  func suffix(from axis: Int) -> Shape {
    var result = SIMD8<Int32>.zero
    for i in axis..<rank { result[i - axis] = lanes[i] }
    result[7] = Int32(truncatingIfNeeded: rank - axis)
    return Shape(lanes: result)
  }

  /// The shape with one axis of another size.
  public func replacing(_ axis: Int, by size: Int) -> Shape {
    var shape = self
    shape[axis] = size
    return shape
  }

  /// The distance in elements between neighbours along each axis, row-major.
  var strides: Strides {
    let lanes = lanes
    var (strides, step) = (Strides.zero, 1)
    for axis in (0..<rank).reversed() {
      strides[axis] = step
      step *= Int(lanes[axis])
    }
    return strides
  }

  /// The common shape of two operands under NumPy's broadcasting rules, or nil.
  static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
    if a == b || b.rank == 0 { return a }
    if a.rank == 0 { return b }
    var result = a.rank >= b.rank ? a : b
    for fromEnd in 1...Swift.min(a.rank, b.rank) {
      let (m, n) = (a[-fromEnd], b[-fromEnd])
      guard m == n || m == 1 || n == 1 else { return nil }
      result[-fromEnd] = m == 1 ? n : m
    }
    return result
  }
}

/// A distance in elements for each axis of a shape, in its first lanes.
typealias Strides = SIMD8<Int>
