import Tensors

extension TableSchema {
  /// The columns, where those that follow from others in all rows have a rule instead of a content of their
  /// own.
  ///
  /// Numbers follow from others on a line, such as inches from centimetres. The rule must reproduce each
  /// number to its last decimal. Levels follow from others one to one, such as countries' names from their
  /// codes. Chance is ruled out: ten different numbers, or 20 nats of information in the levels.
  ///
  /// - Parameters:
  ///   - columns: the columns.
  ///   - values: the number of each row, NaN for a missing one, or its code.
  ///   - kept: the names of columns that have bounds, or logs, of their own.
  static func deriving(
    _ columns: [TableColumn], _ values: [[Double]], keeping kept: Set<String>
  ) -> [TableColumn] {
    var result = columns
    derive(&result, levels: values)
    var search = LineSearch(columns, values, kept)
    for (column, rule) in search.found() {
      result[column] = columns[column].derived(
        from: columns[rule.source].name, .line(rule.line, columns[column].scale!.spelling))
    }
    return result
  }

  /// Finds columns of levels that are one to one with an earlier one.
  private static func derive(_ result: inout [TableColumn], levels values: [[Double]]) {
    var first: [[Int]: Int] = [:]
    for (i, column) in result.enumerated()
    where !column.levels.isEmpty && column.hasCode && values[i].allSatisfy(\.isFinite) {
      // The codes, numbered in the order of their first rows.
      var (numbers, counts) = ([Int](repeating: -1, count: column.codeCount), [Int]())
      let key = values[i].map { value -> Int in
        let code = Int(value)
        if numbers[code] < 0 {
          numbers[code] = counts.count
          counts.append(0)
        }
        counts[numbers[code]] += 1
        return numbers[code]
      }
      guard let other = first[key] else {
        first[key] = i
        continue
      }
      let (source, rows) = (result[other], Double(key.count))
      let shares = Tensor(counts.map { Double($0) / rows }, dtype: .float64)
      guard -(shares * log(shares)).sum().item * rows >= 20, column.levels.count == source.levels.count
      else { continue }
      var levels = [String?](repeating: nil, count: source.levels.count)
      for (a, b) in zip(values[other], values[i]) {
        let (from, to) = (Int(a), Int(b))
        if from < levels.count, to < column.levels.count { levels[from] = column.levels[to] }
      }
      // A missing value must stand beside a missing one.
      let texts = levels.compactMap { $0 }
      if texts.count == levels.count { result[i] = column.derived(from: source.name, .levels(texts)) }
    }
  }
}

extension TableColumn {
  fileprivate func derived(from source: String, _ rule: Derivation.Rule) -> TableColumn {
    TableColumn(
      name: name, kind: kind, missing: missing, content: .derived(Derivation(source: source, rule: rule)))
  }
}

/// The search for columns of numbers that lie on a line with others.
private struct LineSearch {
  typealias Rule = (source: Int, line: Line)

  private struct Numbers {
    let column: Int
    /// The number of the pattern of rows without a number.
    let pattern: Int
    let present: [Double]
    let ends: (low: Int, high: Int)
    let tolerance: Double
    let canFollow: Bool
  }

  private let all: [Numbers]
  private var rules: [Int: Rule] = [:]

  init(_ columns: [TableColumn], _ values: [[Double]], _ kept: Set<String>) {
    var patterns: [[Bool]: Int] = [:]
    all = columns.indices.compactMap { i -> Numbers? in
      guard let scale = columns[i].scale else { return nil }
      let present = values[i].filter { !$0.isNaN }
      var different: Set<Double> = []
      guard present.contains(where: { different.insert($0).inserted && different.count == 10 }) else {
        return nil
      }
      let (low, high) = (
        present.indices.min { present[$0] < present[$1] }!, present.indices.max { present[$0] < present[$1] }!
      )
      var unit = 1.0
      if case .decimal(let places, _) = scale.spelling {
        unit = places < 15 ? 1 / (0..<places).reduce(1.0) { product, _ in product * 10 } : 0
      }
      let range = present[high] - present[low]
      let tolerance = max(0.5 * unit, 1e-7 * range)
      let largest = max(abs(present[low]), abs(present[high]))
      let isExact = range.isFinite && range >= 18 * tolerance && largest * 1e-14 < tolerance
      let absent = values[i].map(\.isNaN)
      let pattern = patterns[absent] ?? patterns.count
      patterns[absent] = pattern
      return Numbers(
        column: i, pattern: pattern, present: present, ends: (low, high),
        tolerance: tolerance, canFollow: isExact && !kept.contains(columns[i].name))
    }
  }

  /// The rules by column. A source follows from no other column.
  mutating func found() -> [Int: Rule] {
    var bases: [Numbers] = []
    for own in all {
      if let rule = rule(own, fromFirst: bases) {
        rules[own.column] = rule
        continue
      }
      // An earlier column may be a rounding of this one.
      for base in bases where line(base, from: own) != nil {
        let followers = all.filter { rules[$0.column]?.source == base.column }
        let changed = ([base] + followers).compactMap { other in
          line(other, from: own).map { (other.column, (own.column, $0) as Rule) }
        }
        guard changed.count == 1 + followers.count else { continue }
        for (column, rule) in changed { rules[column] = rule }
        bases.removeAll { $0.column == base.column }
      }
      bases.append(own)
    }
    return rules
  }

  private func rule(_ own: Numbers, fromFirst bases: [Numbers]) -> Rule? {
    for base in bases {
      if let line = line(own, from: base) { return (base.column, line) }
    }
    return nil
  }

  private func line(_ own: Numbers, from other: Numbers) -> Line? {
    guard own.canFollow, own.pattern == other.pattern else { return nil }
    return Line(through: other.present, own.present, ends: other.ends, within: own.tolerance)
  }
}
