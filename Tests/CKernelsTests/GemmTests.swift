import CKernels
import Testing

struct Shape: Sendable, CustomTestStringConvertible {
  let m: Int, n: Int, k: Int
  init(_ m: Int, _ n: Int, _ k: Int) { (self.m, self.n, self.k) = (m, n, k) }
  var testDescription: String { "\(m)x\(n)x\(k)" }
}

/// The promise itself: one chain of fma from zero over rising k, then the bias, then relu if asked.
private func naive<T: Element>(_ aT: Bool, _ bT: Bool, _ s: Shape, _ a: [T], _ b: [T], _ bias: [T]?) -> [T] {
  var c = [T](repeating: 0, count: s.m * s.n)
  for i in 0..<s.m {
    for j in 0..<s.n {
      var sum: T = 0
      for p in 0..<s.k {
        sum = T.fma(aT ? a[p * s.m + i] : a[i * s.k + p], bT ? b[j * s.k + p] : b[p * s.n + j], sum)
      }
      if let bias { sum += bias[j] }
      c[i * s.n + j] = sum
    }
  }
  return c
}

private func compare<T: Element>(_: T.Type, _ shape: Shape) {
  var generator = Generator()
  for (aT, bT) in [(false, false), (true, false), (false, true), (true, true)] {
    let a = T.random(shape.m * shape.k, &generator), b = T.random(shape.k * shape.n, &generator)
    let bias = aT == bT ? T.random(shape.n, &generator) : nil
    let exact = naive(aT, bT, shape, a, b, bias)
    let plain = T.gemm(aT, bT, shape.m, shape.n, shape.k, a, b, bias, CK_IDENTITY_EPILOGUE)
    #expect(bits(plain) == bits(exact), "\(T.self) \(aT) \(bT)")
    for (epilogue, function) in [
      (CK_RELU_EPILOGUE, CK_RELU), (CK_TANH_EPILOGUE, CK_TANH), (CK_SIGMOID_EPILOGUE, CK_SIGMOID),
      (CK_SOFTPLUS_EPILOGUE, CK_SOFTPLUS),
    ] where shape.m * shape.n < 3000 {
      let c = T.gemm(aT, bT, shape.m, shape.n, shape.k, a, b, bias, epilogue)
      #expect(bits(c) == bits(T.unary(function, exact)), "\(T.self) \(aT) \(bT) \(epilogue)")
    }
  }
}

@Suite struct GemmTests {
  static let sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 29, 31, 33, 47, 64, 70]
  /// Odd sizes in all roles; each pair of sizes occurs for two of the roles.
  static let small: [Shape] = sizes.indices.flatMap { i in
    sizes.indices.map { j in Shape(sizes[i], sizes[j], sizes[(3 * i + 5 * j + 1) % sizes.count]) }
  }
  /// The shapes of flows, and ones that cross every block.
  static let others = [
    Shape(128, 64, 1), Shape(128, 2, 64), Shape(64, 64, 128), Shape(1, 64, 128), Shape(64, 2, 128),
    Shape(2, 128, 64),
    Shape(20, 19, 300), Shape(3, 270, 20), Shape(260, 5, 30), Shape(255, 18, 9), Shape(40, 33, 260),
    Shape(520, 70, 5),
  ]

  @Test(arguments: [0, 1, 2, 3]) func smallShapes(_ part: Int) {
    for (i, shape) in Self.small.enumerated() where i % 4 == part {
      compare(Float.self, shape)
      compare(Double.self, shape)
    }
  }

  @Test(arguments: others) func shapes(_ shape: Shape) {
    compare(Float.self, shape)
    compare(Double.self, shape)
  }

  /// Rows of a wide matrix are copied together, so many at a time; a row has the same bits in any number of
  /// them.
  @Test(arguments: [false, true]) func manyFarRows(_ bT: Bool) {
    let (m, n, k, cut) = (1100, 70, 515, 300)
    var generator = Generator()
    let a = Float.random(m * k, &generator), b = Float.random(k * n, &generator)
    func product(_ rows: Range<Int>) -> [Float] {
      let own = Array(a[rows.lowerBound * k..<rows.upperBound * k])
      return Float.gemm(false, bT, rows.count, n, k, own, b, nil, CK_IDENTITY_EPILOGUE)
    }
    #expect(bits(product(0..<m)) == bits(product(0..<cut) + product(cut..<m)))
    let transposed = (0..<k * m).map { a[$0 % m * k + $0 / m] }
    let fromColumns = Float.gemm(true, bT, m, n, k, transposed, b, nil, CK_IDENTITY_EPILOGUE)
    #expect(bits(product(0..<m)) == bits(fromColumns))
    let few = Array(a[(m - 9) * k..<m * k])
    let last = Array(product(0..<m)[((m - 9) * n)...])
    #expect(bits(naive(false, bT, Shape(9, n, k), few, b, nil)) == bits(last))
  }
}
