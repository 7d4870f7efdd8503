import Tensors

/// A corner plot of tabular data: histograms of the columns on the diagonal, scatter plots of the pairs below
/// it.
///
/// ```swift
/// let groups = [CornerPlot.Series("data", data), CornerPlot.Series("draws", draws)]
/// try CornerPlot("Wine", series: groups, names: ["alcohol", "hue", "acid"]).write(to: "wine.svg")
/// ```
///
/// Histograms have 30 bins and equal area. Points that are not finite are left out. A pair shows every n-th
/// point of a group with more than 800, and the plot shows the first 8 columns of a wider table.
public struct CornerPlot: Picture {
  /// A named group of rows.
  public struct Series: Sendable {
    /// The name in the legend.
    public let name: String
    /// The rows, shape [count, columns].
    public let rows: Tensor

    /// Names a group of rows.
    ///
    /// - Precondition: `rows` has shape [count, columns] with at least one column.
    public init(_ name: String, _ rows: Tensor) {
      require(rows.rank == 2 && rows.shape[1] > 0, "rows have shape [count, columns], got \(rows.shape)")
      (self.name, self.rows) = (name, rows)
    }
  }

  /// The groups in drawing order, the first at the back.
  public let series: [Series]
  private let title: String
  private let names: [String]
  private static let bins = 30
  /// The largest number of columns that a plot shows.
  public static let mostColumns = 8

  /// Plots groups of rows that share their columns.
  ///
  /// - Precondition: There is at least one group, and every group has one column per name.
  public init(_ title: String, series: [Series], names: [String]) {
    require(
      !series.isEmpty && series.allSatisfy { $0.rows.shape[1] == names.count },
      "a corner plot has groups of \(names.count) columns, got \(series.map { $0.rows.shape })")
    (self.title, self.series, self.names) = (title, series, names)
  }

  /// The plot as an SVG document.
  public var svg: String {
    let width = min(names.count, CornerPlot.mostColumns)
    let columns = series.map { group in (0..<width).map { group.rows.column($0) } }
    let size = min(max(560 / Double(width), 78), 170)
    let rulers = (0..<width).map { i in
      CornerPlot.ruler(
        Axis(covering: columns.flatMap { $0[i] }, scale: .linear, margin: 0.04, label: names[i]), size)
    }
    let legend = Legend(names: series.count > 1 ? series.map(\.name) : [], width: size * Double(width))
    let heading = Document.headingHeight(title)
    let left = 44 + (rulers.map(\.widestLabel).max() ?? 0)
    let top = heading + legend.height + 4
    func panel(_ row: Int, _ column: Int) -> Frame {
      let area = Area(
        x: left + Double(column) * (size + 8), y: top + Double(row) * (size + 8), width: size, height: size)
      let up = row == column ? Ruler(rulers[row].axis, ticks: [], length: size) : rulers[row]
      return Frame(x: rulers[column], y: up, area: area)
    }
    var markup = legend.markup(x: left, y: heading) { .dots([($1 + 16, $2)], of: $0, size: 7, opacity: 0.55) }
    for row in 0..<width {
      markup += CornerPlot.histograms(columns.map { $0[row] }, in: panel(row, row))
      for column in 0..<row {
        let frame = panel(row, column)
        markup += columns.enumerated().map { index, columns in
          let points = Coordinates(columns[column], columns[row], thinnedTo: 800)
          return .dots(
            frame.points(points.x, points.y).compactMap { $0 }, of: index, size: 2.4, opacity: 0.55)
        }
        markup.append(frame.edge)
      }
      if row > 0 { markup += rulers[row].labels(beside: panel(row, 0).area) }
      markup += rulers[row].labels(under: panel(width - 1, row).area)
    }
    let last = panel(width - 1, width - 1).area
    return Document(width: last.right + 20, height: last.bottom + 56, title: title).svg(markup)
  }

  /// The outlines of histograms of equal area, on a common scale.
  static func histograms(_ columns: [[Double]], in frame: Frame) -> [Markup] {
    let area = frame.area
    let heights = columns.map { values -> [Double] in
      var counts = [Double](repeating: 0, count: bins)
      let places = frame.x.axis.fractions(of: values).filter { !$0.isNaN }
      for place in places { counts[min(max(Int(place * Double(bins)), 0), bins - 1)] += 1 }
      return counts.map { $0 / Double(max(places.count, 1)) }
    }
    let top = heights.joined().max() ?? 0
    var markup: [Markup] = []
    for (index, bars) in heights.enumerated() where top > 0 {
      var line = "M\(area.x.markup) \(area.bottom.markup)"
      for (bin, height) in bars.enumerated() {
        let right = area.x + area.width * Double(bin + 1) / Double(bins)
        line += "V\((area.bottom - height / top * area.height * 0.94).markup)H\(right.markup)"
      }
      markup.append(
        Markup(
          "path",
          [
            "class": Document.seriesClass(index), "fill": "currentColor", "fill-opacity": 0.14,
            "stroke": "currentColor", "stroke-width": 1.4, "d": line + "V\(area.bottom.markup)",
          ]))
    }
    return markup + [frame.edge]
  }

  /// The ruler of a panel's side, with as many ticks as its labels leave room for.
  static func ruler(_ axis: Axis, _ length: Double) -> Ruler {
    var ruler = Ruler(axis, ticks: axis.ticks(count: max(2, Int(length / 45))), length: length, fontSize: 11)
    func fits() -> Bool { Double(ruler.ticks.count) * (ruler.widestLabel + 8) <= length * 1.2 }
    while ruler.ticks.count > 2, !fits() {
      ruler.ticks = stride(from: 0, to: ruler.ticks.count, by: 2).map { ruler.ticks[$0] }
    }
    if !fits() { ruler.ticks = Array(ruler.ticks.prefix(1)) }
    return ruler
  }
}
