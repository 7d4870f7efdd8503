import Tensors

/// Named curves over common axes: losses by step, densities by temperature.
///
/// ```swift
/// let chart = LineChart(
///   "Loss", series: [.init("training", training), .init("validation", validation)], xLabel: "epoch", yLabel: "nats")
/// try chart.write(to: "loss.svg")
/// ```
///
/// A value that is not finite, or not positive on a logarithmic axis, interrupts its curve. Long curves are drawn
/// with their extremes in each half pixel, so the file stays small.
public struct LineChart: Picture {
  /// One curve.
  public struct Series: Sendable {
    /// What the legend calls it.
    public let name: String
    /// The abscissas.
    public let x: [Double]
    /// The ordinates.
    public let y: [Double]

    /// A curve through (x, y); without `x`, over 0, 1, 2, ...
    ///
    /// - Precondition: as many `x` as `y`.
    public init(_ name: String, _ y: [Double], x: [Double]? = nil) {
      require(
        x == nil || x?.count == y.count, "a series needs one x a y, got \(x?.count ?? 0) and \(y.count)")
      self.name = name
      self.x = x ?? y.indices.map { Double($0) }
      self.y = y
    }
  }

  /// The curves, first to last from back to front.
  public let series: [Series]
  private let title, xLabel, yLabel: String
  private let yScale: AxisScale

  /// A chart of some curves.
  public init(
    _ title: String, series: [Series], xLabel: String = "", yLabel: String = "", yScale: AxisScale = .linear
  ) {
    (self.title, self.series) = (title, series)
    (self.xLabel, self.yLabel, self.yScale) = (xLabel, yLabel, yScale)
  }

  /// The chart as an SVG document.
  public var svg: String {
    let xAxis = Axis(covering: series.flatMap(\.x), scale: .linear, margin: 0, label: xLabel)
    let yAxis = Axis(covering: series.flatMap(\.y), scale: yScale, margin: 0.04, label: yLabel)
    let legend = Legend(names: series.map(\.name), width: 520)
    let heading = Document.headingHeight(title)
    let frame = Frame(x: xAxis, y: yAxis, width: 520, height: 300, top: heading + legend.height)
    let curves = series.enumerated().map { index, series in
      stroke(path(frame.points(series.x, series.y)), of: index)
    }
    let key = legend.markup(x: frame.area.x, y: heading) { index, x, y in
      stroke("M\(x.markup) \(y.markup)h22", of: index)
    }
    return Document(width: frame.area.right + 28, height: frame.bottom, title: title)
      .svg(key + [frame.grid] + curves + frame.border)
  }

  /// A line in the colour of a series, dashed once the colours repeat.
  private func stroke(_ path: String, of index: Int) -> Markup {
    let dashes = ["none", "6 3", "2 3", "8 3 2 3"][index / Document.seriesColors % 4]
    return Markup(
      "path",
      [
        "class": "s\(index % Document.seriesColors)", "d": path, "fill": "none", "stroke": "currentColor",
        "stroke-width": 1.8, "stroke-linejoin": "round", "stroke-linecap": "round",
        "stroke-dasharray": dashes,
      ])
  }

  /// The path through the points, broken where one is missing.
  private func path(_ points: [(x: Double, y: Double)?]) -> String {
    var path = ""
    for run in points.split(whereSeparator: { $0 == nil }) {
      let thinned = thinnedToHalfPixels(run.compactMap { $0 })
      path += "M" + thinned.map { "\($0.x.markup) \($0.y.markup)" }.joined(separator: "L")
      if thinned.count == 1 { path += "h0" }
    }
    return path
  }

  /// Of neighbours that share half a pixel's column, the first, the lowest, the highest and the last.
  private func thinnedToHalfPixels(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    var thinned: [(x: Double, y: Double)] = []
    var start = 0
    while start < points.count {
      let column = (points[start].x * 2).rounded(.down)
      let end = points[start...].firstIndex { ($0.x * 2).rounded(.down) != column } ?? points.count
      let extremes = [
        start, end - 1, points[start..<end].indices.min { points[$0].y < points[$1].y } ?? start,
        points[start..<end].indices.max { points[$0].y < points[$1].y } ?? start,
      ]
      thinned += Set(extremes).sorted().map { points[$0] }
      start = end
    }
    return thinned
  }
}
