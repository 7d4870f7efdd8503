import CKernels

/// A type that the kernels compute in.
protocol Element: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  static var type: ck_type { get }
  static var lanes: Int { get }
  static func random(_ n: Int, _ generator: inout Generator) -> [Self]
  static func arbitrary(_ n: Int, _ generator: inout Generator) -> [Self]
  static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self
}

extension Float: Element {
  static let type = CK_F32
  static let lanes = 16
  static func random(_ n: Int, _ generator: inout Generator) -> [Float] { generator.floats(n) }
  static func arbitrary(_ n: Int, _ generator: inout Generator) -> [Float] { generator.anyFloats(n) }
  static func fma(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }
}

extension Double: Element {
  static let type = CK_F64
  static let lanes = 8
  static func random(_ n: Int, _ generator: inout Generator) -> [Double] { generator.doubles(n) }
  static func arbitrary(_ n: Int, _ generator: inout Generator) -> [Double] { generator.anyDoubles(n) }
  static func fma(_ a: Double, _ b: Double, _ c: Double) -> Double { c.addingProduct(a, b) }
}

/// The kernels on arrays.
extension Element {
  static func unary(_ f: ck_function, _ x: [Self]) -> [Self] {
    filled(x.count) { ck_unary(type, f, x, $0, x.count) }
  }
  static func chain(_ f: ck_function, _ g: [Self], _ x: [Self], _ fx: [Self]) -> [Self] {
    filled(x.count) { ck_chain(type, f, g, x, fx, $0, x.count) }
  }
  static func binary(_ f: ck_operation, _ a: [Self], _ b: [Self]) -> [Self] {
    let n = max(a.count, b.count)
    return filled(n) { ck_binary(type, f, a, a.count == n ? 1 : 0, b, b.count == n ? 1 : 0, $0, n) }
  }
  static func gemm(
    _ aT: Bool, _ bT: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: [Self], _ b: [Self], _ bias: [Self]?,
    _ f: ck_epilogue
  ) -> [Self] {
    var scratch = [Self](repeating: .nan, count: ck_gemm_scratch(type, m, n, k) + 1)
    scratch[scratch.count - 1] = 7
    // In two parts, which have the bits of the whole.
    let c: [Self] = filled(m * n) {
      for (begin, end) in [(0, m / 3), (m / 3, m)] {
        ck_gemm(type, aT, bT, m, begin, end, n, k, a, b, bias, f, $0, &scratch)
      }
    }
    precondition(scratch[scratch.count - 1] == 7, "scratch overrun")
    return c
  }
  static func sumRows(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self] {
    filled(rows) { ck_sum_rows(type, x, rows, columns, $0) }
  }
  static func sumColumns(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self] {
    filled(columns) { ck_sum_columns(type, x, rows, columns, $0) }
  }
  static func maxRows(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self] {
    filled(rows) { ck_max_rows(type, x, rows, columns, $0) }
  }
  static func maxColumns(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self] {
    filled(columns) { ck_max_columns(type, x, rows, columns, $0) }
  }
  static func cumsum(_ x: [Self], _ rows: Int, _ columns: Int, reverse: Bool) -> [Self] {
    filled(x.count) { ck_cumsum_rows(type, x, rows, columns, reverse, $0) }
  }
  static func transpose(_ x: [Self], _ rows: Int, _ columns: Int) -> [Self] {
    filled(x.count) { ck_transpose(type, x, rows, columns, $0) }
  }
  static func solve(
    lower: Bool, transposed: Bool, unit: Bool, _ n: Int, _ columns: Int, _ t: [Self], _ x: [Self]
  ) -> [Self] {
    var x = x
    ck_triangular_solve(type, lower, transposed, unit, n, columns, t, &x)
    return x
  }
  static func lu(_ n: Int, _ a: [Self]) -> (lu: [Self], permutation: [Int32], sign: Int32) {
    var a = a
    var permutation = [Int32](repeating: -1, count: n)
    let sign = ck_lu(type, n, &a, &permutation)
    return (a, permutation, sign)
  }
  static func qr(_ rows: Int, _ columns: Int, _ a: [Self]) -> (q: [Self], r: [Self]) {
    var q = [Self](repeating: .nan, count: rows * columns)
    var r = [Self](repeating: .nan, count: columns * columns)
    var scratch = [Self](repeating: .nan, count: rows * columns + 2 * rows)
    ck_qr(type, rows, columns, a, &q, &r, &scratch)
    return (q, r)
  }
}

/// An array of `n` elements that `body` writes. Each is NaN before.
func filled<T: Element>(_ n: Int, _ body: (UnsafeMutablePointer<T>?) -> Void) -> [T] {
  var y = [T](repeating: .nan, count: n)
  y.withUnsafeMutableBufferPointer { body($0.baseAddress) }
  return y
}
