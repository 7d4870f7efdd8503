import Tensors

/// A column that is nearly a linear function of others.
package struct LinearDependence: Sendable, Hashable {
  /// The position of the column.
  package let column: Int
  /// The positions of the others: one twin, or several.
  package let others: [Int]
}

extension LinearDependence {
  /// Finds the columns of standardized rows that are nearly linear functions of others: of one, up to sign,
  /// or of several earlier ones. Their joint density is unbounded.
  ///
  /// Twins differ by less than 10⁻⁶ in all rows. First a few rows are compared, rounded to six digits. A
  /// function of several columns explains all but 10⁻¹⁰ of the variance. It is looked for among at most 200
  /// columns with twice as many rows. NaN is a missing number: twins are compared where both are known.
  package static func all(in rows: Tensor) -> [LinearDependence] {
    let partial = partialTwins(in: rows)
    let others = known(select(where: isKnown(rows), rows, 0)).filter { dependence in
      !partial.contains { $0.column == dependence.column }
    }
    return partial + others
  }

  private static func isKnown(_ rows: Tensor) -> Tensor { rows .== rows }

  /// The dependences of rows without missing numbers.
  private static func known(_ rows: Tensor) -> [LinearDependence] {
    let twins = twins(in: rows)
    let width = rows.shape[1]
    guard width > 2, width <= 200, rows.rows > 2 * width else { return twins }
    let known = Set(twins.map(\.column))
    return twins + combinations(in: rows, among: (0..<width).filter { !known.contains($0) })
  }

  private static func twins(in rows: Tensor) -> [LinearDependence] {
    let probes = rows.rows(Array(stride(from: 0, to: rows.rows, by: max(1, rows.rows / 32))))
    var (first, twins): ([[Double]: Int], [LinearDependence]) = ([:], [])
    for column in 0..<rows.shape[1] {
      let numbers = probes.sliced(axis: 1, column..<column + 1).doubles
      let sign = (numbers.first { $0 != 0 } ?? 1) < 0 ? -1.0 : 1
      let key = numbers.map { ($0 * sign * 1e6).rounded() }
      guard let other = first[key] else {
        first[key] = column
        continue
      }
      let own = rows.sliced(axis: 1, column..<column + 1)
      let others = rows.sliced(axis: 1, other..<other + 1)
      let distance = min(abs(own - others).max(axis: 0).item, abs(own + others).max(axis: 0).item)
      if distance < 1e-6 { twins.append(LinearDependence(column: column, others: [other])) }
    }
    return twins
  }

  /// The pairs, of which one lacks numbers, that are on a line where both are known: 20 rows or more.
  ///
  /// It looks at the first 50 columns.
  private static func partialTwins(in rows: Tensor) -> [LinearDependence] {
    let width = min(rows.shape[1], 50)
    let columns = (0..<width).map { rows.sliced(axis: 1, $0..<$0 + 1).doubles }
    let isPartial = columns.map { $0.contains { $0.isNaN } }
    var found: [LinearDependence] = []
    for column in 0..<width {
      let other = (0..<column).first { other in
        guard isPartial[column] || isPartial[other] else { return false }
        let pairs = zip(columns[other], columns[column]).filter { !$0.isNaN && !$1.isNaN }
        return pairs.count >= 20 && isLine(pairs)
      }
      if let other { found.append(LinearDependence(column: column, others: [other])) }
    }
    return found
  }

  /// Whether a line explains all but 10⁻¹² of the variance of y.
  private static func isLine(_ pairs: [(x: Double, y: Double)]) -> Bool {
    let count = Double(pairs.count)
    let (meanX, meanY) = (pairs.reduce(0) { $0 + $1.x } / count, pairs.reduce(0) { $0 + $1.y } / count)
    var (xx, xy, yy) = (0.0, 0.0, 0.0)
    for (x, y) in pairs {
      xx += (x - meanX) * (x - meanX)
      xy += (x - meanX) * (y - meanY)
      yy += (y - meanY) * (y - meanY)
    }
    let rest = pairs.reduce(0) { sum, pair in
      let distance = pair.y - meanY - xy / xx * (pair.x - meanX)
      return sum + distance * distance
    }
    return xx > 0 && yy > 0 && rest < 1e-12 * yy
  }

  /// The columns that a Cholesky factor of the covariance has no variance left for, with their regressions.
  private static func combinations(in rows: Tensor, among columns: [Int]) -> [LinearDependence] {
    let centered = rows - rows.mean(axis: 0)
    let covariance = (matmul(centered, centered, transposeA: true) / Double(rows.rows)).doubles
    let width = rows.shape[1]
    // The rows of the factor of the columns that are independent so far.
    var (basis, factor): ([Int], [[Double]]) = ([], [])
    var found: [LinearDependence] = []
    for column in columns {
      let variance = covariance[column * width + column]
      var own: [Double] = []
      for (i, other) in basis.enumerated() {
        let rest = (0..<i).reduce(covariance[column * width + other]) { $0 - own[$1] * factor[i][$1] }
        own.append(rest / factor[i][i])
      }
      let left = own.reduce(variance) { $0 - $1 * $1 }
      guard left > 1e-10 * variance else {
        // The weights w of the regression solve Lᵀ w = own.
        var weights = own
        for i in weights.indices.reversed() {
          for j in i + 1..<weights.count { weights[i] -= factor[j][i] * weights[j] }
          weights[i] /= factor[i][i]
        }
        let others = basis.indices.filter { abs(weights[$0]) > 1e-4 }.map { basis[$0] }
        if variance > 0, !others.isEmpty { found.append(LinearDependence(column: column, others: others)) }
        continue
      }
      basis.append(column)
      factor.append(own + [left.squareRoot()])
    }
    return found
  }
}

extension [LinearDependence] {
  /// The warnings of a table, one for twins and one for others, with the names of columns.
  package func warnings(_ source: String, _ name: (Int) -> String) -> [String] {
    let pairs = filter { $0.others.count == 1 }.map { "\(name($0.others[0])) and \(name($0.column))" }
    let sums = filter { $0.others.count > 1 }.map { dependence in
      let others = dependence.others.prefix(5).map(name).joined(separator: ", ")
      let more = dependence.others.count - 5
      return "\(name(dependence.column)) of \(others)" + (more > 0 ? " and \(more) more" : "")
    }
    var lines: [String] = []
    if !pairs.isEmpty {
      lines.append(
        "\(source): columns hold the same numbers up to scale: \(pairs.joined(separator: ", ")); "
          + "leave one out by --without, since their joint density is unbounded")
    }
    if !sums.isEmpty {
      lines.append(
        "\(source): columns are linear functions of others, such as their sums: "
          + "\(sums.joined(separator: "; ")); leave one of each out by --without, since their joint density "
          + "is unbounded")
    }
    return lines
  }
}
