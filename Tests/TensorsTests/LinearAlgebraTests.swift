import Tensors
import TestSupport
import Testing

@Suite struct LinearAlgebraTests {
  static let sizes = [1, 2, 3, 4, 5, 8, 16, 17, 33, 64]

  /// A full-rank matrix without structure, from a linear congruential generator: a plain wave has rank 2.
  private static func matrix(_ rows: Int, _ columns: Int, seed: UInt64 = 0, dtype: DType = .float64) -> Tensor
  {
    var state = 88_172_645_463_325_252 &+ seed
    let values = (0..<rows * columns).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 40) * 0x1p-23 - 1
    }
    return Tensor(values, shape: [rows, columns], dtype: dtype)
  }

  private func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    let (x, y) = (a.doubles, b.doubles)
    var c = [Double](repeating: 0, count: m * n)
    for i in 0..<m { for j in 0..<n { for l in 0..<k { c[i * n + j] += x[i * k + l] * y[l * n + j] } } }
    return Tensor(c, shape: [m, n], dtype: a.dtype)
  }

  private func tolerance(_ dtype: DType, _ size: Int) -> Double { 50 * Double(size) * dtype.epsilon }

  // MARK: - Products

  @Test(arguments: [1, 2, 7, 16, 33], [DType.float32, .float64])
  func productsInEveryTransposition(_ k: Int, _ dtype: DType) {
    for (m, n) in [(1, 1), (3, 5), (17, 2), (33, 40)] {
      let (a, b) = (Self.matrix(m, k, dtype: dtype), Self.matrix(k, n, seed: 2, dtype: dtype))
      let expected = product(a, b)
      for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
        let c = matmul(ta ? a.transposed() : a, tb ? b.transposed() : b, transposeA: ta, transposeB: tb)
        #expect(isClose(c, expected, tolerance(dtype, k)), "\(m) \(k) \(n) \(ta) \(tb)")
      }
    }
  }

  @Test func emptyProducts() {
    #expect(matmul(.zeros([0, 3]), .zeros([3, 2])).shape == [0, 2])
    #expect(matmul(.zeros([2, 3]), .zeros([3, 0])).shape == [2, 0])
    #expect(matmul(.ones([2, 0]), .ones([0, 3])).isIdentical(to: .zeros([2, 3])))
    #expect(
      dense(.ones([2, 0]), .ones([0, 3]), Tensor([1, 2, 3])).isIdentical(
        to: Tensor([[1, 2, 3], [1, 2, 3]])))
  }

  @Test func leadingAxesAreRows() {
    let (a, b) = (wave([2, 3, 4]), wave([4, 5], phase: 1))
    let flat = matmul(a.reshaped(to: [6, 4]), b)
    #expect(matmul(a, b).isIdentical(to: flat.reshaped(to: [2, 3, 5])))
    #expect(matmul(a, b.transposed(), transposeB: true).shape == [2, 3, 5])
  }

  // MARK: - LU

  @Test(arguments: sizes, [DType.float32, .float64]) func luFactorsMultiplyBack(_ n: Int, _ dtype: DType) {
    let a = Self.matrix(n, n, dtype: dtype)
    let (packed, order) = lu(a)
    let lower = packed.triangle(.strictlyLower) + .identity(n, dtype: dtype)
    #expect(order.dtype == .int32)
    #expect(order.ints.sorted() == Array(0..<n))
    #expect(isClose(matmul(lower, packed.triangle(.upper)), a.gathered(order, axis: 0), tolerance(dtype, n)))
    // Partial pivoting: nothing below the diagonal is larger than 1.
    #expect(lower.doubles.allSatisfy { abs($0) <= 1 })
  }

  @Test(arguments: sizes) func determinantsMultiply(_ n: Int) {
    let (a, b) = (Self.matrix(n, n), Self.matrix(n, n, seed: 3))
    let expected = logAbsDeterminant(a).item + logAbsDeterminant(b).item
    #expect(abs(logAbsDeterminant(matmul(a, b)).item - expected) < 1e-8)
    #expect(abs(logAbsDeterminant(a.transposed()).item - logAbsDeterminant(a).item) < 1e-9)
    #expect(
      abs(logAbsDeterminant(2 * a).item - logAbsDeterminant(a).item - Double(n) * 0.6931471805599453) < 1e-9)
  }

  @Test func knownDeterminants() {
    #expect(
      abs(logAbsDeterminant(Tensor([[1, 2], [3, 4]], dtype: .float64)).item - 0.6931471805599453) < 1e-14)
    #expect(logAbsDeterminant(Tensor([[0, 1], [1, 0]], dtype: .float64)).item == 0)  // needs its pivot
    #expect(logAbsDeterminant(.identity(6)).item == 0)
    #expect(logAbsDeterminant(Tensor([[-1]])).item == 0)
    #expect(logAbsDeterminant(.zeros([0, 0])).item == 0)
  }

  @Test func singularMatrices() {
    for singular in [
      Tensor.zeros([3, 3], dtype: .float64), Tensor([[1, 2], [2, 4]], dtype: .float64),
      Tensor([[1, 2, 3], [0, 0, 0], [4, 5, 6]], dtype: .float64),
      Tensor([[1, 0, 3], [2, 0, 4], [5, 0, 6]], dtype: .float64),
    ] {
      let (packed, order) = lu(singular)
      #expect(packed.isFinite)
      #expect(packed.diagonal().doubles.contains(0))
      #expect(logAbsDeterminant(singular).item == -.infinity)
      let lower = packed.triangle(.strictlyLower) + .identity(singular.rows, dtype: .float64)
      #expect(isClose(matmul(lower, packed.triangle(.upper)), singular.gathered(order, axis: 0), 1e-14))
    }
  }

  @Test func notANumberGoesThrough() {
    let a = Tensor([[1, .nan], [2, 3]], dtype: .float64)
    #expect(logAbsDeterminant(a).item.isNaN)
    #expect(lu(a).order.ints.sorted() == [0, 1])
    #expect(lu(.full([4, 4], .nan)).order.ints.sorted() == [0, 1, 2, 3])
  }

  // MARK: - QR

  @Test(
    arguments: [(1, 1), (2, 2), (5, 5), (7, 3), (3, 1), (17, 16), (33, 33), (64, 20)],
    [DType.float32, .float64])
  func qrFactors(_ size: (Int, Int), _ dtype: DType) {
    let (rows, columns) = size
    let a = Self.matrix(rows, columns, dtype: dtype)
    let (q, r) = qr(a)
    #expect((q.shape, r.shape) == ([rows, columns], [columns, columns]))
    let tolerance = tolerance(dtype, rows)
    #expect(isClose(matmul(q, r), a, tolerance))
    #expect(isClose(matmul(q, q, transposeA: true), .identity(columns, dtype: dtype), tolerance))
    #expect(r.isIdentical(to: r.triangle(.upper)))
    #expect(r.diagonal().doubles.allSatisfy { $0 >= 0 })
  }

  @Test func qrOfDeficientRank() {
    for a in [
      Tensor.zeros([3, 2], dtype: .float64), Tensor([[1, 2], [2, 4], [3, 6]], dtype: .float64),
      Tensor([[0, 1], [0, 2], [0, 3]], dtype: .float64),
    ] {
      let (q, r) = qr(a)
      #expect(q.isFinite && r.isFinite)
      #expect(isClose(matmul(q, r), a, 1e-14))
      #expect(isClose(matmul(q, q, transposeA: true), .identity(2, dtype: .float64), 1e-14))
    }
  }

  @Test func qrOfLargeAndSmallNumbers() {
    for scale in [1e-15, 1e15] {
      let a = scale * Self.matrix(4, 3, dtype: .float32)
      let (q, r) = qr(a)
      #expect(isClose(matmul(q, q, transposeA: true), .identity(3), 1e-5), "\(scale)")
      #expect(isClose(matmul(q, r) / scale, a / scale, 1e-5), "\(scale)")
    }
  }

  // MARK: - Triangular systems

  @Test(arguments: [1, 2, 5, 17, 40], [DType.float32, .float64])
  func triangularSystems(_ n: Int, _ dtype: DType) {
    let full = 0.3 * Self.matrix(n, n, dtype: dtype) / Double(n) + .identity(n, dtype: dtype)
    for lower in [true, false] {
      for unit in [true, false] {
        let strict = full.triangle(lower ? .strictlyLower : .strictlyUpper)
        let matrix = unit ? strict + .identity(n, dtype: dtype) : full.triangle(lower ? .lower : .upper)
        // What must not be read is NaN.
        let noise = Tensor.full([n, n], .nan, dtype: dtype)
        let hidden: Triangle = lower ? (unit ? .upper : .strictlyUpper) : (unit ? .lower : .strictlyLower)
        let given = select(where: hidden.mask(n, n, dtype: dtype), noise, matrix)
        for transposed in [true, false] {
          for columns in [0, 1, 3, 20] {
            let x = Self.matrix(n, columns, seed: 4, dtype: dtype)
            let b = matmul(matrix, x, transposeA: transposed)
            let solved = triangularSolve(given, b, lower: lower, transposed: transposed, unit: unit)
            #expect(isClose(solved, x, tolerance(dtype, n)), "\(lower) \(unit) \(transposed) \(columns)")
          }
        }
      }
    }
  }

  @Test func zeroOnTheDiagonal() {
    let t = Tensor([[1, 0], [2, 0]], dtype: .float64)
    let x = triangularSolve(t, Tensor([[1], [1]], dtype: .float64), lower: true).doubles
    #expect(x[0] == 1)
    #expect(!x[1].isFinite)
  }

  // MARK: - Parts of matrices

  @Test func triangles() {
    let a = Tensor([[1, 2, 3], [4, 5, 6]])
    #expect(a.triangle(.lower).isIdentical(to: Tensor([[1, 0, 0], [4, 5, 0]])))
    #expect(a.triangle(.upper).isIdentical(to: Tensor([[1, 2, 3], [0, 5, 6]])))
    #expect(a.triangle(.strictlyLower).isIdentical(to: Tensor([[0, 0, 0], [4, 0, 0]])))
    #expect(a.triangle(.strictlyUpper).isIdentical(to: Tensor([[0, 2, 3], [0, 0, 6]])))
    // A triangle of NaN elsewhere is clean.
    #expect(Tensor([[1, .nan], [2, 3]]).triangle(.lower).isIdentical(to: Tensor([[1, 0], [2, 3]])))
  }

  @Test func diagonals() {
    let a = Tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    #expect(a.diagonal().isIdentical(to: Tensor([1, 5, 9])))
    #expect(a.diagonal().diagonalMatrix().isIdentical(to: a * .identity(3)))
    #expect(Tensor.zeros([0, 0]).diagonal().shape == 0)
    #expect(Tensor([[4]]).diagonal().isIdentical(to: Tensor([4])))
  }

  @Test func inversePermutations() {
    #expect(Tensor(ints: [2, 0, 1]).inversePermutation.ints == [1, 2, 0])
    #expect(Tensor(ints: []).inversePermutation.ints == [])
    let (p, x) = (Tensor(ints: [3, 1, 0, 2]), wave([4]))
    #expect(x.gathered(p).gathered(p.inversePermutation).isIdentical(to: x))
  }
}
