import Tensors

/// The rows of tables as numbers for networks that judge them.
///
/// Numbers are standardized by the mean and the deviation over all tables. Each of the 30 most frequent
/// categories is a number, 1 where a row is of it, and so is a missing value.
enum TableFeatures {
  /// The most categories of a column with a feature of their own.
  static let mostLevels = 30

  /// The features of each table in float32, without one of the columns if that is given.
  static func of(_ tables: [ComparedTable], without omitted: Int? = nil) -> [Tensor] {
    let rows = tables.reduce(0) { $0 + $1.rows }
    var features: [[Double]] = []
    for column in tables[0].columns.indices where column != omitted {
      let values = tables.map { $0.columns[column].values }
      let numbers = values.flatMap(\.numbers)
      let categories = values.flatMap(\.categories)
      features +=
        categories.isEmpty
        ? self.numbers(numbers)
        : levels(of: categories).map { level in
          categories.map { $0 == level ? 1 : 0 }
        }
    }
    if features.isEmpty { features = [[Double](repeating: 0, count: rows)] }
    let all = Tensor((0..<rows).flatMap { row in features.map { $0[row] } }, shape: [rows, features.count])
    var start = 0
    return tables.map { table in
      defer { start += table.rows }
      return all[start..<start + table.rows]
    }
  }

  /// The standardized numbers, at most 10 deviations from the mean, and whether they are missing.
  private static func numbers(_ values: [Double]) -> [[Double]] {
    let (mean, deviation) = moments(values)
    let isMissing = values.map { $0.isNaN ? 1.0 : 0 }
    var features: [[Double]] = []
    if deviation > 0 {
      features.append(values.map { $0.isNaN ? 0 : min(max(($0 - mean) / deviation, -10), 10) })
    }
    let missing = isMissing.reduce(0, +)
    if missing > 0 && Int(missing) < values.count { features.append(isMissing) }
    return features
  }

  /// The mean and the deviation of the values that are not missing; 0 for a deviation that is not finite.
  static func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
    let (present, mean) = (values.present, values.meanOfPresent)
    let variance = present.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(present.count, 1))
    return (mean, variance.isFinite ? variance.squareRoot() : 0)
  }

  /// The most frequent categories, and the missing value if it is among them.
  static func levels(of values: [String?]) -> [String?] {
    var counts: [String?: Int] = [:]
    for value in values { counts[value, default: 0] += 1 }
    func comesFirst(_ a: (key: String?, value: Int), _ b: (key: String?, value: Int)) -> Bool {
      if a.value != b.value { return a.value > b.value }
      guard let first = a.key, let second = b.key else { return b.key == nil && a.key != nil }
      return first < second
    }
    return counts.sorted(by: comesFirst).prefix(mostLevels).map(\.key)
  }
}
