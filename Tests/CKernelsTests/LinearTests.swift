import Testing

@Suite struct LinearTests {
  @Test(arguments: [1, 2, 3, 7, 8, 9, 20, 33]) func triangular(_ n: Int) {
    for columns in [1, 3, 16, 17, 40] {
      solves(Float.self, n, columns)
      solves(Double.self, n, columns)
    }
  }

  /// Too large for the buffer: columns in place, and a rest.
  @Test func triangularLarge() {
    solves(Double.self, 270, 9)
  }

  /// Against the chain itself: b - t x, unknown by unknown, then the division.
  func solves<T: Element>(_: T.Type, _ n: Int, _ columns: Int) {
    var generator = Generator()
    var t = T.random(n * n, &generator).map { $0 / 8 }
    for i in 0..<n { t[i * n + i] += 1 }
    let b = T.random(n * columns, &generator)
    for variant in 0..<8 {
      let (lower, transposed, unit) = (variant & 1 != 0, variant & 2 != 0, variant & 4 != 0)
      let order = lower != transposed ? Array(0..<n) : Array((0..<n).reversed())
      var exact = b
      for (s, i) in order.enumerated() {
        for c in 0..<columns {
          var sum = b[i * columns + c]
          for j in order[..<s] {
            sum = T.fma(-(transposed ? t[j * n + i] : t[i * n + j]), exact[j * columns + c], sum)
          }
          exact[i * columns + c] = unit ? sum : sum / t[i * n + i]
        }
      }
      // The other triangle, and the diagonal if it is ones, must not be read.
      var poisoned = t
      for i in 0..<n {
        for j in 0..<n where (lower ? j > i : j < i) || (unit && i == j) { poisoned[i * n + j] = .nan }
      }
      let x = T.solve(lower: lower, transposed: transposed, unit: unit, n, columns, poisoned, b)
      #expect(bits(x) == bits(exact), "\(T.self) n \(n) columns \(columns) variant \(variant)")
    }
  }

  @Test(arguments: [0, 1, 2, 5, 16, 19, 40]) func lu(_ n: Int) {
    var generator = Generator()
    let a = generator.doubles(n * n)
    let (lu, permutation, sign) = Double.lu(n, a)
    for i in 0..<n {
      for j in 0..<n {
        var sum = 0.0
        for p in 0...min(i, j) { sum += (p == i ? 1 : lu[i * n + p]) * lu[p * n + j] }
        #expect(abs(sum - a[Int(permutation[i]) * n + j]) < 1e-12)
        if j < i { #expect(abs(lu[i * n + j]) <= 1) }
      }
    }
    #expect(permutation.sorted() == (0..<Int32(n)).map { $0 })
    var parity: Int32 = 1
    for i in 0..<n { for j in 0..<i where permutation[j] > permutation[i] { parity = -parity } }
    #expect(sign == parity)
  }

  @Test func luOfSingular() {
    let (lu, permutation, sign) = Double.lu(2, [0, 1, 0, 2])
    #expect(lu == [0, 1, 0, 2] && permutation == [0, 1] && sign == 1)
    #expect(Float.lu(2, [1, 5, -1, 2]).permutation == [0, 1])  // the first of the largest
  }

  @Test(arguments: [(1, 1), (3, 2), (8, 8), (17, 5), (40, 33), (64, 64)]) func qr(_ rows: Int, _ columns: Int)
  {
    var generator = Generator()
    let a = generator.doubles(rows * columns)
    let (q, r) = Double.qr(rows, columns, a)
    for i in 0..<columns {
      #expect(r[i * columns + i] > 0)
      for j in 0..<i { #expect(r[i * columns + j] == 0) }
      for j in 0..<columns {
        let dot = (0..<rows).reduce(0.0) { $0 + q[$1 * columns + i] * q[$1 * columns + j] }
        #expect(abs(dot - (i == j ? 1 : 0)) < 1e-13)
      }
    }
    for i in 0..<rows {
      for j in 0..<columns {
        let product = (0..<columns).reduce(0.0) { $0 + q[i * columns + $1] * r[$1 * columns + j] }
        #expect(abs(product - a[i * columns + j]) < 1e-13)
      }
    }
    let single = Float.qr(rows, columns, a.map { Float($0) })
    #expect(zip(single.r, r).allSatisfy { abs(Double($0) - $1) < 1e-3 })
  }
}
