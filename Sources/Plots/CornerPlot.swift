import Tensors

/// All columns of some rows against each other: marginals on the diagonal, pairs below it.
///
/// ```swift
/// let plot = CornerPlot("Wine", series: [.init("data", data), .init("draws", draws)], names: ["alcohol", "hue", "acid"])
/// try plot.write(to: "wine.svg")
/// ```
///
/// Marginals are histograms of equal area, of 30 bins. Points that are not finite are left out; of a group larger than 800
/// every n-th is drawn in each pair, and of more than 8 columns the first 8.
public struct CornerPlot: Picture {
  /// One group of rows.
  public struct Series: Sendable {
    /// What the legend calls it.
    public let name: String
    /// The rows, shape [count, columns].
    public let rows: Tensor

    /// A group of rows.
    ///
    /// - Precondition: shape [count, columns].
    public init(_ name: String, _ rows: Tensor) {
      require(rows.rank == 2 && rows.shape[1] > 0, "rows have shape [count, columns], got \(rows.shape)")
      (self.name, self.rows) = (name, rows)
    }
  }

  /// The groups, first to last from back to front.
  public let series: [Series]
  private let title: String
  private let names: [String]
  private static let bins = 30
  /// How many columns are drawn at most.
  public static let mostColumns = 8

  /// A plot of groups of rows over the same columns.
  ///
  /// - Precondition: at least one group; one name a column.
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
    let axes = (0..<width).map { i in
      Axis(covering: columns.flatMap { $0[i] }, scale: .linear, margin: 0.04, label: names[i])
    }
    let size = min(max(560 / Double(width), 78), 170)
    let legend = Legend(names: series.count > 1 ? series.map(\.name) : [], width: size * Double(width))
    let heading = Document.headingHeight(title)
    let left = 44 + (axes.map { CornerPlot.labelWidth($0, size) }.max() ?? 0)
    let corner = (x: left, y: heading + legend.height + 4)
    func panel(_ row: Int, _ column: Int) -> Area {
      Area(
        x: corner.x + Double(column) * (size + 8), y: corner.y + Double(row) * (size + 8), width: size,
        height: size)
    }
    var markup = legend.markup(x: left, y: heading) { index, x, y in
      CornerPlot.dots([(x + 16, y)], of: index, size: 7)
    }
    for row in 0..<width {
      markup += CornerPlot.histograms(columns.map { $0[row] }, axes[row], in: panel(row, row))
      for column in 0..<row {
        let clouds = columns.map { CornerPlot.thinned($0[column], $0[row]) }
        markup += CornerPlot.pairs(clouds, axes[column], axes[row], in: panel(row, column))
      }
      if row > 0 { markup += CornerPlot.upLabels(axes[row], beside: panel(row, 0)) }
      markup += CornerPlot.acrossLabels(axes[row], under: panel(width - 1, row))
    }
    let last = panel(width - 1, width - 1)
    return Document(width: last.right + 20, height: last.bottom + 56, title: title).svg(markup)
  }

  /// Outlines of equal area, on a common scale.
  private static func histograms(_ columns: [[Double]], _ axis: Axis, in area: Area) -> [Markup] {
    let heights = columns.map { values -> [Double] in
      var counts = [Double](repeating: 0, count: bins)
      let places = axis.fractions(of: values).filter { !$0.isNaN }
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
      line += "V\(area.bottom.markup)"
      markup.append(
        Markup(
          "path",
          [
            "class": "s\(index % Document.seriesColors)", "fill": "currentColor", "fill-opacity": 0.14,
            "stroke": "currentColor", "stroke-width": 1.4, "d": line,
          ]))
    }
    return markup + [border(axis, nil, in: area)]
  }

  private static func pairs(
    _ clouds: [(x: [Double], y: [Double])], _ x: Axis, _ y: Axis, in area: Area
  ) -> [Markup] {
    let drawn = clouds.enumerated().map { index, cloud in
      let places = zip(x.fractions(of: cloud.x), y.fractions(of: cloud.y)).filter { !$0.isNaN && !$1.isNaN }
      return dots(
        places.map { (area.x + $0 * area.width, area.bottom - $1 * area.height) }, of: index, size: 2.4)
    }
    return drawn + [border(x, y, in: area)]
  }

  /// Round dots in the colour of a series: lines of no length with round ends.
  private static func dots(_ points: [(x: Double, y: Double)], of index: Int, size: Double) -> Markup {
    Markup(
      "path",
      [
        "class": "s\(index % Document.seriesColors)", "fill": "none", "stroke": "currentColor",
        "stroke-width": size, "stroke-linecap": "round", "stroke-opacity": 0.55,
        "d": points.map { "M\($0.x.markup) \($0.y.markup)h0" }.joined(),
      ])
  }

  private static func border(_ x: Axis, _ y: Axis?, in area: Area) -> Markup {
    var path =
      "M\(area.x.markup) \(area.y.markup)H\(area.right.markup)V\(area.bottom.markup)H\(area.x.markup)Z"
    for place in places(x, area.width) { path += "M\((area.x + place).markup) \(area.bottom.markup)v4" }
    for place in y.map({ places($0, area.height) }) ?? [] {
      path += "M\(area.x.markup) \((area.bottom - place).markup)h-4"
    }
    return Markup("path", ["class": "axis", "d": path])
  }

  private static func upLabels(_ axis: Axis, beside area: Area) -> [Markup] {
    let ticks = self.ticks(axis, area.height)
    let numbers = zip(Tick.labels(ticks), places(axis, area.height)).map { text, place in
      Markup.label(text, x: area.x - 8, y: area.bottom - place + 4, anchor: "end", size: 11)
    }
    return numbers + [
      .uprightLabel(axis.label.fitted(to: area.height), x: 20, y: area.y + area.height / 2)
    ]
  }

  private static func acrossLabels(_ axis: Axis, under area: Area) -> [Markup] {
    let numbers = zip(Tick.labels(ticks(axis, area.width)), places(axis, area.width)).map { text, place in
      Markup.label(text, x: area.x + place, y: area.bottom + 17, size: 11)
    }
    return numbers + [
      .label(axis.label.fitted(to: area.width), x: area.x + area.width / 2, y: area.bottom + 40)
    ]
  }

  /// As many ticks as their labels leave room for.
  private static func ticks(_ axis: Axis, _ length: Double) -> [Tick] {
    var ticks = axis.ticks(count: max(2, Int(length / 45)))
    func fit() -> Bool {
      Double(ticks.count) * ((Tick.labels(ticks).map { $0.width(size: 11) }.max() ?? 0) + 8) <= length * 1.2
    }
    while ticks.count > 2, !fit() { ticks = ticks.enumerated().filter { $0.offset % 2 == 0 }.map(\.element) }
    return fit() ? ticks : Array(ticks.prefix(1))
  }

  private static func places(_ axis: Axis, _ length: Double) -> [Double] {
    axis.fractions(of: ticks(axis, length).map(\.value)).map { $0 * length }
  }

  private static func labelWidth(_ axis: Axis, _ length: Double) -> Double {
    Tick.labels(ticks(axis, length)).map { $0.width(size: 11) }.max() ?? 0
  }

  private static func thinned(_ x: [Double], _ y: [Double]) -> (x: [Double], y: [Double]) {
    let step = max(1, (x.count + 799) / 800)
    let kept = stride(from: 0, to: x.count, by: step)
    return (kept.map { x[$0] }, kept.map { y[$0] })
  }
}

extension Tensor {
  /// A column of a matrix.
  fileprivate func column(_ index: Int) -> [Double] {
    sliced(axis: 1, index..<index + 1).doubles
  }
}
