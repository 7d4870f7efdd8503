import Tensors

/// Compares the columns of tables, one panel for each: overlaid histograms of numbers, and bars of the shares
/// of categories.
///
/// ```swift
/// let panels: [MarginalsPlot.Panel] = [
///   .numbers("price", [realPrices, syntheticPrices], note: "0.97"),
///   .categories("cut", ["Ideal", "Good"], [[0.7, 0.3], [0.6, 0.4]]),
/// ]
/// try MarginalsPlot("Diamonds", series: ["real", "synthetic"], panels: panels).write(to: "columns.svg")
/// ```
///
/// A histogram has 30 bins of equal width over the middle 99 percent of all values. Values outside count in
/// the outer bins, and values that are not finite are left out. A panel shows up to 8 categories, and the
/// rest together.
public struct MarginalsPlot: Picture {
  /// The drawing of one column.
  public struct Panel: Sendable {
    enum Content: Sendable {
      case numbers([[Double]])
      case categories(levels: [String], shares: [[Double]])
    }
    let name, note: String
    let content: Content

    /// A panel of histograms, one for the numbers of each series.
    public static func numbers(_ name: String, _ series: [[Double]], note: String = "") -> Panel {
      Panel(name: name, note: note, content: .numbers(series))
    }

    /// A panel of bars: for each series the share of each category.
    ///
    /// - Precondition: Each series has a share for each category.
    public static func categories(
      _ name: String, _ levels: [String], _ shares: [[Double]], note: String = ""
    ) -> Panel {
      require(
        shares.allSatisfy { $0.count == levels.count },
        "\(levels.count) categories need as many shares, got \(shares.map(\.count))")
      return Panel(name: name, note: note, content: .categories(levels: levels, shares: shares))
    }
  }

  private let title: String
  private let series: [String]
  private let panels: [Panel]
  private static let size = (width: 216.0, height: 128.0)
  private static let mostLevels = 8

  /// Draws a panel for each column.
  ///
  /// - Parameter series: The names of the tables in the legend.
  public init(_ title: String, series: [String], panels: [Panel]) {
    (self.title, self.series, self.panels) = (title, series, panels)
  }

  /// The plot as an SVG document.
  public var svg: String {
    let across = min(max(panels.count, 1), panels.count > 9 ? 4 : 3)
    let (wide, high) = (Self.size.width + 32, Self.size.height + 64)
    let heading = Document.headingHeight(title)
    let legend = Legend(names: series, width: wide * Double(across) - 40)
    var markup = legend.markup(x: 24, y: heading) { series, x, y in
      Markup(
        "rect",
        [
          "class": Document.seriesClass(series), "x": x, "y": y - 5, "width": 20.0, "height": 10.0,
          "fill": "currentColor", "fill-opacity": 0.75,
        ])
    }
    let top = heading + legend.height
    for (i, panel) in panels.enumerated() {
      let area = Area(
        x: 24 + Double(i % across) * wide, y: top + 26 + Double(i / across) * high, width: Self.size.width,
        height: Self.size.height)
      markup += drawing(panel, in: area)
    }
    let rows = (panels.count + across - 1) / across
    return Document(
      width: 24 + wide * Double(across), height: top + high * Double(max(rows, 1)) + 8, title: title
    ).svg(markup)
  }

  private func drawing(_ panel: Panel, in area: Area) -> [Markup] {
    let room = area.width - panel.note.width() - 8
    let names: [Markup] = [
      .label(panel.name.fitted(to: room), x: area.x, y: area.y - 8, anchor: "start", style: "ink title"),
      .label(panel.note, x: area.right, y: area.y - 8, anchor: "end"),
    ]
    switch panel.content {
    case .numbers(let values): return names + histograms(values, area)
    case .categories(let levels, let shares): return names + bars(levels, shares, area)
    }
  }

  private func histograms(_ values: [[Double]], _ area: Area) -> [Markup] {
    let all = values.joined().filter(\.isFinite).sorted()
    let outside = all.count / 200
    let (low, high) = (all.isEmpty ? 0 : all[outside], all.isEmpty ? 1 : all[all.count - 1 - outside])
    let axis = Axis(covering: [low, high], scale: .linear, margin: 0.04, label: "")
    let x = CornerPlot.ruler(axis, area.width)
    let up = Ruler(Axis(0...1, label: ""), ticks: [], length: area.height)
    let shown = values.map { $0.filter(\.isFinite).map { min(max($0, low), high) } }
    let frame = Frame(x: x, y: up, area: area)
    return CornerPlot.histograms(shown, in: frame) + x.labels(under: area)
  }

  private func bars(_ levels: [String], _ shares: [[Double]], _ area: Area) -> [Markup] {
    var (levels, shares) = (levels, shares)
    if levels.count > Self.mostLevels {
      let kept = Self.mostLevels - 1
      shares = shares.map { $0[..<kept] + [$0[kept...].reduce(0, +)] }
      levels = levels[..<kept] + ["\(levels.count - kept) others"]
    }
    let names = levels.map { $0.fitted(to: area.width * 0.45, size: 11) }
    let left = area.x + (names.map { $0.width(size: 11) }.max() ?? 0) + 6
    let most = max(shares.joined().max() ?? 0, 1e-12)
    let row = area.height / Double(max(levels.count, 1))
    let thickness = min(row * 0.8 / Double(max(shares.count, 1)), 16)
    var markup: [Markup] = []
    for (i, name) in names.enumerated() {
      let middle = area.y + (Double(i) + 0.5) * row
      markup.append(.label(name, x: left - 6, y: middle + 4, anchor: "end", size: 11))
      for (j, own) in shares.enumerated() {
        markup.append(
          Markup(
            "rect",
            [
              "class": Document.seriesClass(j), "fill": "currentColor", "fill-opacity": 0.75, "x": left,
              "y": middle + (Double(j) - Double(shares.count) / 2) * thickness,
              "width": max(own[i] / most, 0) * (area.right - left), "height": thickness,
            ]))
      }
    }
    let axis = "M\(left.markup) \(area.y.markup)V\(area.bottom.markup)"
    return markup + [Markup("path", ["class": "axis", "d": axis])]
  }
}
