import CKernels

extension Float: Element {
  static let lanes = 16
  static func random(_ n: Int, _ generator: inout Generator) -> [Float] { generator.floats(n) }
  static func arbitrary(_ n: Int, _ generator: inout Generator) -> [Float] { generator.anyFloats(n) }
  static func fma(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

  static func unary(_ f: ck_unary, _ x: [Float]) -> [Float] {
    filled(x.count) { ck_unary_f32(f, x, $0, x.count) }
  }
  static func binary(_ f: ck_binary, _ a: [Float], _ b: [Float]) -> [Float] {
    let n = max(a.count, b.count)
    return filled(n) { ck_binary_f32(f, a, a.count == n ? 1 : 0, b, b.count == n ? 1 : 0, $0, n) }
  }
  static func gemm(
    _ aT: Bool, _ bT: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: [Float], _ bias: [Float]?,
    _ f: ck_epilogue
  ) -> [Float] {
    var scratch = [Float](repeating: .nan, count: ck_gemm_scratch_f32(m, n, k) + 1)
    scratch[scratch.count - 1] = 7
    let c = filled(m * n) { ck_gemm_f32(aT, bT, m, n, k, a, b, bias, f, $0, &scratch) }
    precondition(scratch[scratch.count - 1] == 7, "scratch overrun")
    return c
  }
  static func sumRows(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    filled(rows) { ck_sum_rows_f32(x, rows, columns, $0) }
  }
  static func sumColumns(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    filled(columns) { ck_sum_columns_f32(x, rows, columns, $0) }
  }
  static func maxRows(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    filled(rows) { ck_max_rows_f32(x, rows, columns, $0) }
  }
  static func maxColumns(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    filled(columns) { ck_max_columns_f32(x, rows, columns, $0) }
  }
  static func cumsum(_ x: [Float], _ rows: Int, _ columns: Int, reverse: Bool) -> [Float] {
    filled(x.count) { ck_cumsum_rows_f32(x, rows, columns, reverse, $0) }
  }
  static func transpose(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    filled(x.count) { ck_transpose_f32(x, rows, columns, $0) }
  }
  static func solve(
    lower: Bool, transposed: Bool, unit: Bool, _ n: Int, _ columns: Int, _ t: [Float], _ x: [Float]
  ) -> [Float] {
    var x = x
    ck_triangular_solve_f32(lower, transposed, unit, n, columns, t, &x)
    return x
  }
  static func lu(_ n: Int, _ a: [Float]) -> (lu: [Float], permutation: [Int32], sign: Int32) {
    var a = a
    var permutation = [Int32](repeating: -1, count: n)
    let sign = ck_lu_f32(n, &a, &permutation)
    return (a, permutation, sign)
  }
  static func qr(_ rows: Int, _ columns: Int, _ a: [Float]) -> (q: [Float], r: [Float]) {
    var q = [Float](repeating: .nan, count: rows * columns)
    var r = [Float](repeating: .nan, count: columns * columns)
    var scratch = [Float](repeating: .nan, count: rows * columns + 2 * rows)
    ck_qr_f32(rows, columns, a, &q, &r, &scratch)
    return (q, r)
  }
}

extension Double: Element {
  static let lanes = 8
  static func random(_ n: Int, _ generator: inout Generator) -> [Double] { generator.doubles(n) }
  static func arbitrary(_ n: Int, _ generator: inout Generator) -> [Double] { generator.anyDoubles(n) }
  static func fma(_ a: Double, _ b: Double, _ c: Double) -> Double { c.addingProduct(a, b) }

  static func unary(_ f: ck_unary, _ x: [Double]) -> [Double] {
    filled(x.count) { ck_unary_f64(f, x, $0, x.count) }
  }
  static func binary(_ f: ck_binary, _ a: [Double], _ b: [Double]) -> [Double] {
    let n = max(a.count, b.count)
    return filled(n) { ck_binary_f64(f, a, a.count == n ? 1 : 0, b, b.count == n ? 1 : 0, $0, n) }
  }
  static func gemm(
    _ aT: Bool, _ bT: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: [Double], _ b: [Double], _ bias: [Double]?,
    _ f: ck_epilogue
  ) -> [Double] {
    var scratch = [Double](repeating: .nan, count: ck_gemm_scratch_f64(m, n, k) + 1)
    scratch[scratch.count - 1] = 7
    let c = filled(m * n) { ck_gemm_f64(aT, bT, m, n, k, a, b, bias, f, $0, &scratch) }
    precondition(scratch[scratch.count - 1] == 7, "scratch overrun")
    return c
  }
  static func sumRows(_ x: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    filled(rows) { ck_sum_rows_f64(x, rows, columns, $0) }
  }
  static func sumColumns(_ x: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    filled(columns) { ck_sum_columns_f64(x, rows, columns, $0) }
  }
  static func maxRows(_ x: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    filled(rows) { ck_max_rows_f64(x, rows, columns, $0) }
  }
  static func maxColumns(_ x: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    filled(columns) { ck_max_columns_f64(x, rows, columns, $0) }
  }
  static func cumsum(_ x: [Double], _ rows: Int, _ columns: Int, reverse: Bool) -> [Double] {
    filled(x.count) { ck_cumsum_rows_f64(x, rows, columns, reverse, $0) }
  }
  static func transpose(_ x: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    filled(x.count) { ck_transpose_f64(x, rows, columns, $0) }
  }
  static func solve(
    lower: Bool, transposed: Bool, unit: Bool, _ n: Int, _ columns: Int, _ t: [Double], _ x: [Double]
  ) -> [Double] {
    var x = x
    ck_triangular_solve_f64(lower, transposed, unit, n, columns, t, &x)
    return x
  }
  static func lu(_ n: Int, _ a: [Double]) -> (lu: [Double], permutation: [Int32], sign: Int32) {
    var a = a
    var permutation = [Int32](repeating: -1, count: n)
    let sign = ck_lu_f64(n, &a, &permutation)
    return (a, permutation, sign)
  }
  static func qr(_ rows: Int, _ columns: Int, _ a: [Double]) -> (q: [Double], r: [Double]) {
    var q = [Double](repeating: .nan, count: rows * columns)
    var r = [Double](repeating: .nan, count: columns * columns)
    var scratch = [Double](repeating: .nan, count: rows * columns + 2 * rows)
    ck_qr_f64(rows, columns, a, &q, &r, &scratch)
    return (q, r)
  }
}

/// What `body` writes into `n` elements, each NaN before.
private func filled<T: Element>(_ n: Int, _ body: (UnsafeMutablePointer<T>?) -> Void) -> [T] {
  var y = [T](repeating: .nan, count: n)
  y.withUnsafeMutableBufferPointer { body($0.baseAddress) }
  return y
}
