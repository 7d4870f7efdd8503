import Tensors
import TestSupport

private let reals = 1.5 * wave([2, 3], phase: 0.4)
private let positive = exp(reals)
private let unit = 0.9 * wave([2, 3], phase: 1)
private let matrix = wave([3, 3], phase: 0.2) + 3 * Tensor.identity(3, dtype: .float64)
private let tall = exp(2 * wave([4, 3], phase: 0.7))  // a plain wave has rank 2

let primitiveTable: [PrimitiveRow] =
  [
    .unary("negate", at: reals) { -$0 },
    .unary("abs", at: reals) { abs($0) },
    .unary("square", at: reals) { square($0) },
    .unary("reciprocal", at: positive) { reciprocal($0) },
    .unary("sqrt", at: positive) { sqrt($0) },
    .unary("relu", at: reals) { relu($0) },
    .unary("exp", at: reals) { exp($0) },
    .unary("expm1", at: reals) { expm1($0) },
    .unary("log", at: positive) { log($0) },
    .unary("log1p", at: positive) { log1p($0) },
    .unary("tanh", at: reals) { tanh($0) },
    .unary("sigmoid", at: reals) { sigmoid($0) },
    .unary("softplus", at: reals) { softplus($0) },
    .unary("logSigmoid", at: reals) { logSigmoid($0) },
    .unary("erf", at: reals) { erf($0) },
    .unary("erfinv", at: unit) { erfinv($0) },
    .unary("gelu", at: reals) { Activation.gelu($0) },
    .unary("gelu near 0", at: 1e-9 * reals) { Activation.gelu($0) },
    .unary("sin", at: reals) { sin($0) },
    .unary("cos", at: reals) { cos($0) },
    .unary("atan", at: reals) { atan($0) },
    PrimitiveRow("add", [reals, positive]) { $0[0] + $0[1] },
    PrimitiveRow("add, row", [reals, wave([3])]) { $0[0] + $0[1] },
    PrimitiveRow("subtract, column", [wave([2, 1]), reals]) { $0[0] - $0[1] },
    PrimitiveRow("multiply", [reals, positive]) { $0[0] * $0[1] },
    PrimitiveRow("multiply, outer", [wave([3, 1]), wave([4], phase: 2)]) { $0[0] * $0[1] },
    PrimitiveRow("multiply, long row", [wave([3, 20]), wave([20], phase: 2)]) { $0[0] * $0[1] },
    PrimitiveRow("multiply, middle axis", [wave([2, 3, 4]), wave([2, 1, 4], phase: 2)]) { $0[0] * $0[1] },
    PrimitiveRow("divide", [reals, positive]) { $0[0] / $0[1] },
    PrimitiveRow("divide, scalar", [Tensor(2, dtype: .float64), positive]) { $0[0] / $0[1] },
    PrimitiveRow("pow", [positive, reals]) { pow($0[0], $0[1]) },
    PrimitiveRow("maximum", [reals, unit]) { maximum($0[0], $0[1]) },
    PrimitiveRow("minimum", [reals, unit]) { minimum($0[0], $0[1]) },
    PrimitiveRow("select", [reals, positive]) { select(where: $0[0] .> 0.1, $0[0] * 2, $0[1]) },
    PrimitiveRow("select, broadcast", [reals, wave([3])]) { select(where: $0[0] .> 0.1, $0[1], 3 * $0[0]) },
    .unary("broadcast", at: wave([3])) { $0.broadcast(to: [2, 2, 3]) },
    .unary("sum", at: reals) { $0.sum() },
    .unary("sum, first axis", at: wave([2, 3, 4])) { $0.sum(axis: 0) },
    .unary("sum, middle axis", at: wave([2, 3, 4])) { $0.sum(axis: 1, keepDims: true) },
    .unary("sum per row", at: wave([2, 3, 4])) { $0.sumPerRow() },
    .unary("mean", at: reals) { $0.mean(axis: -1) },
    .unary("max", at: reals) { $0.max(axis: 1) },
    .unary("max, first axis", at: reals) { $0.max(axis: 0) },
    .unary("min", at: reals) { $0.min(axis: 1) },
    .unary("logSumExp", at: reals) { $0.logSumExp(axis: 1) },
    .unary("softmax", at: reals) { $0.softmax(axis: 0) },
    .unary("cumulativeSum", at: reals) { $0.cumulativeSum(axis: 1) },
    .unary("cumulativeSum, first axis", at: reals) { $0.cumulativeSum(axis: 0) },
    .unary("reshape", at: reals) { $0.reshaped(to: [3, 2]) },
    .unary("transpose", at: reals) { $0.transposed() },
    .unary("permute", at: wave([2, 3, 4])) { $0.permuted(axes: [2, 0, 1]) },
    .unary("flip", at: wave([2, 3, 2])) { $0.flipped(axis: 1) },
    .unary("slice", at: wave([2, 5])) { $0.sliced(axis: 1, 1..<4) },
    .unary("slice, rows", at: wave([4, 2])) { $0[1..<3] },
    .unary("slice, step", at: wave([2, 5])) { $0.sliced(axis: 1, 0..<5, step: 2) },
    PrimitiveRow("concatenate", [reals, wave([2, 1])]) { concatenate([$0[0], $0[1], $0[0]], axis: 1) },
    PrimitiveRow("stack", [reals, positive]) { stack([$0[0], $0[1]], axis: 1) },
    .unary("gather, repeated", at: reals) { $0.gathered(Tensor(ints: [2, 0, 2, 1]), axis: 1) },
    .unary("rows", at: reals) { $0.rows([1, 1, 0]) },
    .unary("pick", at: wave([2, 2, 3])) {
      $0.picked(at: Tensor([0, 2, 1, 2], shape: [2, 2], dtype: $0.dtype))
    },
    PrimitiveRow("matmul", [wave([2, 3]), wave([3, 4], phase: 2)]) { matmul($0[0], $0[1]) },
    PrimitiveRow("matmul, Aᵀ", [wave([3, 2]), wave([3, 4], phase: 2)]) {
      matmul($0[0], $0[1], transposeA: true)
    },
    PrimitiveRow("matmul, Bᵀ", [wave([2, 3]), wave([4, 3], phase: 2)]) {
      matmul($0[0], $0[1], transposeB: true)
    },
    PrimitiveRow("matmul, AᵀBᵀ", [wave([3, 2]), wave([4, 3], phase: 2)]) {
      matmul($0[0], $0[1], transposeA: true, transposeB: true)
    },
    PrimitiveRow("matmul, rank 3", [wave([2, 2, 3]), wave([3, 4], phase: 2)]) { matmul($0[0], $0[1]) },
    batchedRow(false, false), batchedRow(true, false), batchedRow(false, true), batchedRow(true, true),
    PrimitiveRow("batchedMatmul, rank 4", [wave([2, 1, 2, 3]), wave([2, 1, 3, 2], phase: 2)]) {
      batchedMatmul($0[0], $0[1])
    },
    denseRow(.identity), denseRow(.relu), denseRow(.tanh), denseRow(.sigmoid), denseRow(.softplus),
    solveRow(lower: true, transposed: false, unit: false),
    solveRow(lower: true, transposed: true, unit: true),
    solveRow(lower: false, transposed: false, unit: true),
    solveRow(lower: false, transposed: true, unit: false),
    .unary("lu", at: matrix) { lu($0).packed },
    .unary("lu, pivoted", at: exp(2 * wave([3, 3], phase: 0.2))) { lu($0).packed },
    .unary("logAbsDeterminant", at: matrix) { logAbsDeterminant($0) },
    .unary("qr, Q", at: tall) { qr($0).q },
    .unary("qr, R", at: tall) { qr($0).r },
    .unary("qr, both", at: matrix) { matmul(qr($0).q, square(qr($0).r)) },
    .unary("triangle", at: matrix) { $0.triangle(.strictlyLower) },
    .unary("diagonal", at: matrix) { $0.diagonal() },
    .unary("diagonalMatrix", at: wave([3])) { $0.diagonalMatrix() },
  ] + convolutionRows

private func batchedRow(_ transposeA: Bool, _ transposeB: Bool) -> PrimitiveRow {
  PrimitiveRow(
    "batchedMatmul\(transposeA ? ", A\u{1D40}" : "")\(transposeB ? ", B\u{1D40}" : "")",
    [wave(transposeA ? [2, 3, 2] : [2, 2, 3]), wave(transposeB ? [2, 4, 3] : [2, 3, 4], phase: 2)]
  ) {
    batchedMatmul($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)
  }
}

private func denseRow(_ activation: Activation) -> PrimitiveRow {
  PrimitiveRow("dense, \(activation)", [wave([4, 3]), wave([3, 2], phase: 2), wave([2], phase: 3)]) {
    dense($0[0], $0[1], $0[2], activation)
  }
}

private func solveRow(lower: Bool, transposed: Bool, unit: Bool) -> PrimitiveRow {
  PrimitiveRow(
    "solve, \(lower ? "lower" : "upper")\(transposed ? ", transposed" : "")", [matrix, wave([3, 2])]
  ) {
    triangularSolve($0[0], $0[1], lower: lower, transposed: transposed, unit: unit)
  }
}
