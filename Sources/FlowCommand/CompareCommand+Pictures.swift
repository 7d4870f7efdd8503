import Flows

extension CompareCommand.Comparison {
  private static let mostPanels = 24
  private static let mostNames = 40

  private func title(_ text: String, _ most: Int) -> String {
    let count = quality.columns.count
    return count > most ? "\(text), \(most) of \(count) columns" : text
  }

  /// The columns of both tables over each other, with their scores.
  var columnsPicture: MarginalsPlot {
    let columns = zip(zip(real.columns, synthetic.columns), quality.columns).prefix(Self.mostPanels)
    return MarginalsPlot(
      title("Columns: likeness \(decimals(quality.columnShapes))", Self.mostPanels),
      series: ["real", "synthetic"],
      panels: columns.map { tables, score in
        let note = score.score.isNaN ? "" : decimals(score.score)
        switch (tables.0.values, tables.1.values) {
        case (.categories(let a), .categories(let b)):
          let (levels, shares) = Self.shares(a, b)
          return .categories(score.name, levels, shares, note: note)
        case (.numbers(let a), .numbers(let b)) where tables.0.isTime:
          return .numbers("\(score.name), year", [a.map(Self.year), b.map(Self.year)], note: note)
        case (.numbers(let a), .numbers(let b)):
          return .numbers(score.name, [a, b], note: note)
        default: return .numbers(score.name, [])
        }
      })
  }

  /// Nanoseconds since 1970 as years.
  private static func year(_ nanoseconds: Double) -> Double { 1970 + nanoseconds / (365.2425 * 86_400e9) }

  /// The categories from the most frequent real one on, and their shares. Missing values are the last.
  private static func shares(
    _ real: [String?], _ synthetic: [String?]
  ) -> (levels: [String], shares: [[Double]]) {
    func counts(_ values: [String?]) -> [String?: Int] {
      values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
    let (a, b) = (counts(real), counts(synthetic))
    let levels = Set(a.keys).union(b.keys).sorted { first, second in
      guard let first, let second else { return second == nil && first != nil }
      return (a[second] ?? 0, b[second] ?? 0, first) < (a[first] ?? 0, b[first] ?? 0, second)
    }
    let shares = [(a, real.count), (b, synthetic.count)].map { counts, rows in
      levels.map { Double(counts[$0] ?? 0) / Double(rows) }
    }
    return (levels.map { $0 ?? "(missing)" }, shares)
  }

  /// The likeness of each pair's relation, with that of each column on the diagonal.
  var pairsPicture: HeatMap {
    let count = min(quality.columns.count, Self.mostNames)
    var values = [[Double]](repeating: [Double](repeating: .nan, count: count), count: count)
    for i in 0..<count { values[i][i] = quality.columns[i].score }
    for pair in quality.pairs where pair.second < count {
      values[pair.first][pair.second] = pair.trend.score
      values[pair.second][pair.first] = pair.trend.score
    }
    return HeatMap(
      title("Pairs: likeness \(decimals(quality.allPairTrends)); diagonal: columns", Self.mostNames),
      names: quality.columns.prefix(count).map(\.name), values: values, range: 0...1, label: "likeness")
  }
}
