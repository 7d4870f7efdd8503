/// A legend: the names of series in rows above a chart, each with a sample of its mark.
struct Legend {
  let names: [String]
  let width: Double

  /// The height of all rows; 0 without names.
  var height: Double { names.isEmpty ? 0 : Double(rows.count) * 20 + 4 }

  /// Draws the rows with their top left corner at a point.
  func markup(x: Double, y: Double, mark: (_ series: Int, _ x: Double, _ y: Double) -> Markup) -> [Markup] {
    var markup: [Markup] = []
    for (row, entries) in rows.enumerated() {
      let baseline = y + Double(row) * 20 + 12
      for entry in entries {
        markup.append(mark(entry.series, x + entry.x, baseline - 4))
        markup.append(.label(entry.name, x: x + entry.x + 28, y: baseline, anchor: "start"))
      }
    }
    return markup
  }

  private var rows: [[(series: Int, name: String, x: Double)]] {
    var rows: [[(series: Int, name: String, x: Double)]] = []
    var x = Double.infinity
    for (series, full) in names.enumerated() {
      let name = full.fitted(to: width - 40)
      let needed = 28 + name.width() + 18
      if x + needed > width + 18 {
        rows.append([])
        x = 0
      }
      rows[rows.count - 1].append((series, name, x))
      x += needed
    }
    return rows
  }
}
