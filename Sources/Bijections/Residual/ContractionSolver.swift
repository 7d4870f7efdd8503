import Networks
import Tensors

/// Solves x + g(x) = y on values, for each row by itself.
///
/// The residual is r = y − x − g(x). A fixed-point step x ← x + r multiplies the error by at most L, the
/// Lipschitz constant of g. These steps come first, until |r| ≤ 10⁻³ (1 − L) (1 + |y|) or after 50 of
/// them. Then Newton's method finishes, whose step s solves (I + J) s = r. In more than `newtonLimit`
/// dimensions the fixed-point steps go on instead.
///
/// A row ends when no step reduces |r| any more, which is then at the level of rounding. A row whose
/// residual stays larger is NaN, as where g is no contraction. So is a row after 40 / (1 − L) steps, or
/// 200,000. Rows that have ended leave, so that the
/// bits of a row do not depend on the others.
struct ContractionSolver {
  private let function: LipschitzFunction
  private let lipschitz: Double

  /// The steps after which a row ends: 40 / (1 − L) divide an error by 10¹⁷.
  private var mostSteps: Int { max(5_000, Int(min(40 / max(1 - lipschitz, 1e-9), 200_000))) }

  /// The largest dimension for Newton's method.
  static let newtonLimit = 64

  init(_ function: LipschitzFunction, lipschitz: Double) {
    (self.function, self.lipschitz) = (function, lipschitz)
  }

  /// A row under way: the next point, and the best one so far.
  private struct Row {
    let index: Int
    var point: [Double]
    var best: [Double] = []
    var residual: [Double] = []
    var norm = Double.infinity
    var evaluations = 0
    /// Whether the point is a fixed-point step after a step of Newton's method that failed.
    var isFallback = false

    mutating func move(by step: ArraySlice<Double>) { point = zip(point, step).map { $0 + $1 } }
  }

  func solve(_ y: Tensor) -> Tensor {
    let size = y.shape[1]
    let (targets, usesNewton) = (y.doubles, size <= Self.newtonLimit)
    let scales = (0..<y.rows).map { 1 + length(targets[$0 * size..<($0 + 1) * size]) }
    var rows = (0..<y.rows).map { Row(index: $0, point: Array(targets[$0 * size..<($0 + 1) * size])) }
    if usesNewton {
      var (open, near): ([Row], [Row]) = (rows, [])
      while !open.isEmpty {
        let r = residuals(open, y, newton: false).residuals
        var further: [Row] = []
        for (i, var row) in open.enumerated() {
          let residual = r[i * size..<(i + 1) * size]
          row.evaluations += 1
          let isNear = !(length(residual) > 1e-3 * (1 - lipschitz) * scales[row.index])
          if !isNear { row.move(by: residual) }
          if isNear || row.evaluations == 50 { near.append(row) } else { further.append(row) }
        }
        open = further
      }
      rows = near
    }
    var result = [Double](repeating: .nan, count: y.count)
    while !rows.isEmpty {
      let (r, steps) = residuals(rows, y, newton: usesNewton)
      var further: [Row] = []
      for (i, var row) in rows.enumerated() {
        let own = i * size..<(i + 1) * size
        let unit = y.dtype.epsilon * scales[row.index]
        if advance(&row, r[own], steps?[own] ?? r[own], unit) {
          further.append(row)
        } else if row.norm < .infinity, row.norm <= (row.evaluations < mostSteps ? 1e4 : 64) * unit {
          result.replaceSubrange(row.index * size..<(row.index + 1) * size, with: row.best)
        }
      }
      rows = further
    }
    return Tensor(result, shape: y.shape, dtype: y.dtype)
  }

  /// Takes the residual at a row's point and chooses the next point. It is false at the end of the search.
  private func advance(
    _ row: inout Row, _ residual: ArraySlice<Double>, _ step: ArraySlice<Double>, _ unit: Double
  ) -> Bool {
    let norm = length(residual)
    row.evaluations += 1
    if norm < row.norm {
      (row.best, row.residual, row.norm, row.isFallback) = (row.point, Array(residual), norm, false)
      row.move(by: step)
      return norm > 0 && row.evaluations < mostSteps
    }
    // Newton's method may fail far from the root. A fixed-point step never does.
    if row.norm <= 64 * unit || row.isFallback || row.best.isEmpty { return false }
    (row.point, row.isFallback) = (row.best, true)
    row.move(by: row.residual[...])
    return true
  }

  /// The residuals at the rows' points, and the steps of Newton's method.
  private func residuals(
    _ rows: [Row], _ y: Tensor, newton: Bool
  ) -> (residuals: [Double], steps: [Double]?) {
    let x = Tensor(
      rows.flatMap(\.point), shape: [rows.count, y.shape[1]], dtype: y.dtype)
    let indices = rows.map(\.index)
    let isWhole = indices == Array(0..<y.rows)
    let (target, g) = isWhole ? (y, function) : (y.rows(indices), function.rows(indices))
    if !newton { return ((target - x - g(x)).doubles, nil) }
    let (value, jacobian) = g.valueAndJacobian(x)
    let r = target - x - value
    let matrices = jacobian + .identity(y.shape[1], dtype: y.dtype)
    return (r.doubles, Elimination(of: matrices.transposed(), with: r, pivots: false).solutions.doubles)
  }
}

/// The Euclidean length.
private func length(_ x: ArraySlice<Double>) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
