import CKernels
import Testing

/// The kernels for gradients by row, against loops.
@Suite struct RowKernelTests {
  @Test(arguments: [(1, 1), (3, 2), (17, 5), (40, 64), (8, 33), (20, 1030)])
  func squares(rows: Int, size: Int) {
    check(rows, size, Float.self, 1e-5)
    check(rows, size, Double.self, 1e-13)
  }

  private func check<T: Element>(_ rows: Int, _ size: Int, _: T.Type, _ tolerance: Double) {
    var generator = Generator()
    let outs = size / 2 + 1
    let (h, d) = (T.random(rows * size, &generator), T.random(rows * size, &generator))
    let (scale, shift) = (T.random(size, &generator), T.random(size, &generator))
    func entry(_ r: Int, _ i: Int, _ j: Int, _ width: Int) -> Double {
      Double(h[r * size + i]) * Double(d[r * width + j])
    }
    func expect(
      _ name: String, _ kernel: (UnsafeMutablePointer<Double>) -> Void, _ square: (Int) -> Double
    ) {
      var totals = [Double](repeating: 1, count: rows + 1)
      kernel(&totals)
      for r in 0..<rows {
        let expected = 1 + square(r)
        #expect(abs(totals[r] - expected) <= tolerance * expected, "\(name), row \(r)")
      }
      #expect(totals[rows] == 1, "\(name) writes behind the rows")
    }
    func sum(_ r: Int, _ term: (Int, Int) -> Double) -> Double {
      (0..<size).reduce(0) { total, i in (0..<size).reduce(total) { $0 + term(i, $1) * term(i, $1) } }
    }
    expect("rows") {
      ck_square_rows(T.type, h, rows, size, $0)
    } _: { r in
      h[r * size..<(r + 1) * size].reduce(0) { $0 + Double($1 * $1) }
    }
    expect("products") {
      ck_square_products(T.type, h, d, rows, size, outs, $0)
    } _: { r in
      sum(r) { $1 < outs ? entry(r, $0, $1, outs) : 0 }
    }
    if size > 100 { return }
    var scratch = [T](repeating: 0, count: size * T.lanes)
    // Multiplication by 7 permutes the places, or by 1 where 7 divides their number.
    let order = (0..<size).map { Int32(size % 7 == 0 ? $0 : 7 * $0 % size) }
    for isOrdered in [false, true] {
      expect("lower") { totals in
        order.withUnsafeBufferPointer {
          ck_square_triangle(
            T.type, true, size, h, d, nil, nil, isOrdered ? $0.baseAddress : nil, rows, totals, &scratch)
        }
      } _: { r in
        sum(r) { (isOrdered ? Int(order[$0]) : $0) > $1 ? entry(r, $0, $1, size) : 0 }
      }
    }
    for isShifted in [false, true] {
      expect("upper") { totals in
        shift.withUnsafeBufferPointer {
          ck_square_triangle(
            T.type, false, size, h, d, scale, isShifted ? $0.baseAddress : nil, nil, rows, totals, &scratch)
        }
      } _: { r in
        sum(r) { i, j in
          if i != j { return i < j ? entry(r, i, j, size) : 0 }
          return Double(scale[i]) * entry(r, i, i, size) + (isShifted ? Double(shift[i]) : 0)
        }
      }
    }
  }

  @Test func weightedSums() {
    var generator = Generator()
    for (rows, columns) in [(1, 1), (5, 3), (7, 70), (20, 33)] {
      let (f, x) = (Float.random(rows, &generator), Float.random(rows * columns, &generator))
      let sums: [Float] = filled(columns) { ck_weighted_columns(CK_F32, f, x, rows, columns, $0) }
      let scaled: [Float] = filled(rows * columns) { ck_scale_rows(CK_F32, f, x, rows, columns, $0) }
      for c in 0..<columns {
        var sum: Float = 0
        for r in 0..<rows { sum.addProduct(f[r], x[r * columns + c]) }
        #expect(sums[c] == sum)
      }
      #expect(scaled.indices.allSatisfy { scaled[$0] == f[$0 / columns] * x[$0] })
    }
  }

  /// The noise is added in double precision and rounded once.
  @Test func noise() {
    let (x, noise): ([Float], [Double]) = ([1, -2, 1e8], [0x1p-30, 3, 0.3])
    let y: [Float] = filled(3) { ck_add_noise(CK_F32, 2, 0.5, noise, x, 3, $0) }
    #expect(y == (0..<3).map { Float(0.5 * (Double(x[$0]) + 2 * noise[$0])) })
  }
}
