extension TableSchema {
  /// The columns, where those that follow from others in all rows have a rule instead of a content of their
  /// own.
  ///
  /// Numbers follow from others on a line, such as inches from centimetres. The rule must reproduce each
  /// number to its last decimal, and 30 or more different numbers. Lines give n rounded numbers about n³
  /// patterns. Noise of one unit gives 2ⁿ, so chance has a probability of 2⁻³⁰ · 30³ = 2.5 · 10⁻⁵ or less.
  ///
  /// Levels follow from others one to one, such as countries' names from their codes. If a share r of all
  /// rows broke the rule, n rows would agree with probability (1 − r)ⁿ. 917 rows rule out r = 1% at 10⁻⁴. Of
  /// columns with the same texts 300 rows are enough, which rule out 3%. A tenth of those must have another
  /// level than the most frequent one: rare flags agree by chance.
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
      let source = result[other]
      let least = Set(column.levels) == Set(source.levels) ? 300 : 917
      guard key.count >= least, key.count - (counts.max() ?? 0) >= least / 10,
        column.levels.count == source.levels.count
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
    /// The unit of the last decimal; 0 for numbers with all digits of float64.
    let unit: Double
    let spelling: NumberScale.Spelling
    let relativeTolerance: Double
    let canFollow, canLead: Bool
  }

  private let all: [Numbers]
  private var rules: [Int: Rule] = [:]

  init(_ columns: [TableColumn], _ values: [[Double]], _ kept: Set<String>) {
    var patterns: [[Bool]: Int] = [:]
    all = columns.indices.compactMap { i -> Numbers? in
      guard let scale = columns[i].scale else { return nil }
      let present = values[i].filter { !$0.isNaN }
      var different: Set<Double> = []
      for x in present where different.count < 30 { different.insert(x) }
      guard different.count >= 10 else { return nil }
      let (low, high) = (
        present.indices.min { present[$0] < present[$1] }!, present.indices.max { present[$0] < present[$1] }!
      )
      let range = present[high] - present[low]
      let largest = max(abs(present[low]), abs(present[high]))
      var (unit, relativeTolerance) = (1.0, 0.0)
      if case .decimal(let places, _) = scale.spelling {
        unit = 1 / (0..<places).reduce(1.0) { product, _ in product * 10 }
        if places >= 15 || unit <= largest.ulp {
          (unit, relativeTolerance) = (0, places > 0 ? Line.rounding : 0)
        }
      }
      let canFollow =
        range.isFinite && range >= 9 * unit && range >= 1e3 * Line.rounding * largest
        && !kept.contains(columns[i].name)
      let absent = values[i].map(\.isNaN)
      let pattern = patterns[absent] ?? patterns.count
      patterns[absent] = pattern
      return Numbers(
        column: i, pattern: pattern, present: present, ends: (low, high),
        unit: unit, spelling: scale.spelling, relativeTolerance: relativeTolerance, canFollow: canFollow,
        canLead: different.count >= 30)
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
    guard own.canFollow, other.canLead, own.pattern == other.pattern else { return nil }
    return Line(
      through: other.present, own.present, ends: other.ends, unit: own.unit, in: own.spelling,
      within: own.relativeTolerance)
  }
}
