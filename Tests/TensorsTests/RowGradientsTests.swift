import TestSupport
import Testing

@testable import Tensors

/// Gradients by row, against those of one row at a time.
@Suite struct RowGradientsTests {
  /// A loss of parameters and rows.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let shapes: [Shape]
    var isOneByOne = false
    var columns = 4
    let loss: @Sendable (_ leaves: [Tensor], _ x: Tensor) -> Tensor
  }

  static let cases: [Case] = [
    Case(testDescription: "dense", shapes: [[4, 3], [3]]) { p, x in
      square(dense(x, p[0], p[1], .tanh)).sumPerRow()
    },
    Case(testDescription: "one matrix for several parts of a row, with cross terms", shapes: [[2, 9], [9]]) {
      p, x in
      square(dense(x.reshaped(to: [x.rows, 2, 2]), p[0], p[1], .tanh)).sumPerRow()
    },
    Case(testDescription: "many parts of a row and a small matrix", shapes: [[1, 2], [2]], columns: 12) {
      p, x in
      sin(dense(x.reshaped(to: [x.rows, 12, 1]), p[0], p[1], .sigmoid)).sumPerRow()
    },
    Case(testDescription: "a network used several times", shapes: [[4, 4], [4]]) { p, x in
      let once = dense(x, p[0], p[1], .tanh)
      return square(dense(once + x, p[0], p[1], .softplus)).sumPerRow()
    },
    Case(testDescription: "a matrix and its transpose", shapes: [[4, 3]]) { p, x in
      sin(matmul(tanh(matmul(x, p[0])), p[0], transposeB: true)).sumPerRow()
    },
    Case(testDescription: "a matrix beside itself", shapes: [[4, 4]]) { p, x in
      sin(matmul(x, p[0] + p[0].transposed())).sumPerRow()
    },
    Case(testDescription: "a masked matrix, used twice", shapes: [[4, 4]]) { p, x in
      let mask = Triangle.lower.mask(4, 4, dtype: .float64)
      let w = p[0] * mask
      return sin(matmul(tanh(matmul(x, w)), w)).sumPerRow()
    },
    Case(testDescription: "weight normalization", shapes: [[4, 3], [3]]) { p, x in
      let w = p[1] * p[0] / sqrt(square(p[0]).sum(axis: 0, keepDims: true))
      return sin(matmul(x, w)).sumPerRow()
    },
    Case(testDescription: "P L U", shapes: [[4, 4]]) { p, x in
      let (w, logDet) = pluProduct(
        factors: p[0], sign: .ones([4], dtype: .float64), order: Tensor(ints: [2, 0, 3, 1]))
      return sin(matmul(x, w)).sumPerRow() - logDet
    },
    Case(testDescription: "scale and shift, with a log-determinant of parameters alone", shapes: [[4], [4]]) {
      p, x in
      0.5 * square((x - p[1]) * exp(p[0])).sumPerRow() - p[0].sum()
    },
    Case(testDescription: "parts of a parameter in other places", shapes: [[10]]) { p, x in
      let w = p[0][0..<8].reshaped(to: [2, 4]).transposed()
      return sin(matmul(x, w) + p[0][8..<10]).sumPerRow() * p[0][3]
    },
    Case(testDescription: "a parameter for each row", shapes: [[4, 2]]) { p, x in
      let rows = Tensor.ones([x.rows, 1], dtype: .float64) * p[0].reshaped(to: [1, 8])
      return (rows * concatenate(x, square(x), axis: 1)).sumPerRow() * x.sumPerRow()
    },
    Case(testDescription: "rows in columns, without a rule", shapes: [[4, 4]], isOneByOne: true) { p, x in
      sin(matmul(p[0], x.transposed()).transposed()).sumPerRow()
    },
    Case(testDescription: "orthogonal factors", shapes: [[4, 4]]) { p, x in
      sin(matmul(x, qr(p[0]).q)).sumPerRow() + square(x).sumPerRow() * logAbsDeterminant(p[0])
    },
  ]

  private func params(_ row: Case) -> Params {
    let leaves = row.shapes.enumerated().map { Params.leaf(wave($1, phase: Double($0) + 1)) }
    return Params(leaves)
  }

  @Test(arguments: cases) func equalThoseOfOneRowAtATime(_ row: Case) throws {
    let (params, x) = (params(row), wave([7, row.columns], phase: 3))
    let found = try weightedRowGradients(at: params, over: x, factors: { 1 / $0 }) { params, x, _ in
      row.loss(params.leaves, x)
    }
    #expect(found.isOneByOne == row.isOneByOne)
    var sums = row.shapes.map { Tensor.zeros($0, dtype: .float64) }
    for i in 0..<x.rows {
      let leaves = valueAndGradient(at: params) { row.loss($0.leaves, x[i..<i + 1]).sum() }.gradient.leaves
      let own = zip(leaves, found.common).map { $0 - $1 }
      let norm = own.reduce(0) { $0 + square($1).sum().item }.squareRoot()
      #expect(abs(found.norms[i].item - norm) <= 1e-13 * norm)
      for k in sums.indices { sums[k] = sums[k] + own[k] / norm }
    }
    for (sum, expected) in zip(found.sums, sums) { #expect(isClose(sum, expected, 1e-12)) }
  }

  /// Several shards share a value of the parameters alone, and one sum of its gradients is pulled back.
  @Test(arguments: [true, false]) func shardsShareValues(separatesCommon: Bool) throws {
    let row = try #require(Self.cases.first { $0.testDescription == "P L U" })
    let (params, x) = (params(row), wave([150, 4], phase: 3))
    for dtype in [DType.float64, .float32] {
      let found = try weightedRowGradients(
        at: params.cast(to: dtype), over: x.cast(to: dtype), separatesCommon: separatesCommon,
        factors: { 1 / $0 }
      ) { p, x, _ in
        let (w, logDet) = pluProduct(
          factors: p.leaves[0], sign: .ones([4], dtype: dtype), order: Tensor(ints: [2, 0, 3, 1]))
        return sin(matmul(x, w)).sumPerRow() - logDet
      }
      var sum = Tensor.zeros([4, 4], dtype: .float64)
      let common = separatesCommon ? found.common[0].cast(to: .float64) : .zeros([4, 4], dtype: .float64)
      for i in 0..<150 {
        let own =
          valueAndGradient(at: params) { row.loss($0.leaves, x[i..<i + 1]).sum() }.gradient.leaves[0] - common
        let norm = square(own).sum().item.squareRoot()
        #expect(abs(found.norms[i].item - norm) <= (dtype == .float64 ? 1e-12 : 1e-5) * norm)
        sum = sum + own / norm
      }
      #expect(
        !found.isOneByOne && isClose(found.sums[0].cast(to: .float64), sum, dtype == .float64 ? 1e-12 : 1e-4))
    }
  }

  @Test func aLogDeterminantOfParametersAloneIsCommon() throws {
    for name in ["P L U", "scale and shift, with a log-determinant of parameters alone"] {
      let row = try #require(Self.cases.first { $0.testDescription == name })
      let found = try weightedRowGradients(
        at: params(row), over: wave([3, 4]), factors: { 0 * $0 }
      ) { p, x, _ in
        row.loss(p.leaves, x)
      }
      let expected =
        name == "P L U" ? -Tensor.identity(4, dtype: .float64) : -Tensor.ones([4], dtype: .float64)
      #expect(isClose(found.common[0], expected, 0))
    }
  }

  @Test func unitsAreColumnsOfOneBranch() throws {
    let params: Params = [
      ("a", ["weight": .leaf(wave([4, 3])), "bias": .leaf(wave([3]))]), ("b", .leaf(wave([2, 3]))),
    ].reduce(into: Params.empty) { tree, child in tree = .branch(tree.children + [.init(child.0, child.1)]) }
    #expect(RowNorms.ofUnits.count(in: params) == 6 && RowNorms.ofAll.count(in: params) == 1)
    let x = wave([5, 4], phase: 1)
    let found = try weightedRowGradients(at: params, over: x, norms: .ofUnits, factors: { $0 }) { p, x, _ in
      let a = p.child("a")
      return (dense(x, a.child("weight").value!, a.child("bias").value!) * p.child("b").value![1]).sumPerRow()
    }
    // Of unit k of the layer: (‖h‖² + 1) d².
    let (h, d) = (square(x).sum(axis: 1, keepDims: true) + 1, wave([2, 3])[1])
    #expect(isClose(found.norms.sliced(axis: 1, 0..<3), sqrt(h * square(d)), 1e-13))
  }

  /// A row whose gradient is not finite adds nothing, and changes no other row's share.
  @Test(arguments: [Double.nan, .infinity, 1e200]) func aRowWithoutANormCountsAsZero(_ value: Double) throws {
    let row = Self.cases[0]
    let x = wave([5, 4])
    let spoiled = concatenate([x, .full([1, 4], value, dtype: .float64)], axis: 0)
    func sums(_ x: Tensor) throws -> [Tensor] {
      try weightedRowGradients(at: params(row), over: x, factors: { minimum(1 / $0, 1) }) { p, x, _ in
        square(x).sumPerRow() * row.loss(p.leaves, x)
      }.sums
    }
    for (a, b) in zip(try sums(spoiled), try sums(x)) { #expect(isClose(a, b, 1e-14)) }
  }

  @Test func bitsDoNotDependOnThreads() throws {
    let row = Self.cases[0]
    let results = try [1, 2, 8].map { threads in
      try Parallelism.$threads.withValue(threads) {
        try weightedRowGradients(at: params(row), over: wave([1000, 4]), factors: { minimum(1 / $0, 1) }) {
          p, x, _ in row.loss(p.leaves, x)
        }.sums
      }
    }
    for other in results[1...] {
      for (a, b) in zip(results[0], other) { #expect(a.isIdentical(to: b)) }
    }
  }
}
