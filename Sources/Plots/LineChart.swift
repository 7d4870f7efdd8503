import Tensors

/// A line chart: named curves over common axes, such as losses by step.
///
/// ```swift
/// let curves = [LineChart.Series("training", training), LineChart.Series("validation", validation)]
/// try LineChart("Loss", series: curves, xLabel: "epoch", yLabel: "nats").write(to: "loss.svg")
/// ```
///
/// A value that is not finite, or not positive on a logarithmic axis, leaves a gap in its curve. Long curves
/// are reduced to their extremes in each half pixel, so the file stays small.
public struct LineChart: Picture {
  /// A named curve.
  public struct Series: Sendable {
    /// The name in the legend.
    public let name: String
    /// The horizontal positions of the points.
    public let x: [Double]
    /// The vertical positions of the points.
    public let y: [Double]

    /// Names a curve through the points (x, y); by default x is 0, 1, 2, ...
    ///
    /// - Precondition: `x` has as many values as `y`.
    public init(_ name: String, _ y: [Double], x: [Double]? = nil) {
      require(
        x == nil || x?.count == y.count, "a series needs one x a y, got \(x?.count ?? 0) and \(y.count)")
      (self.name, self.x, self.y) = (name, x ?? y.indices.map { Double($0) }, y)
    }
  }

  /// The curves in drawing order, the first at the back.
  public let series: [Series]
  private let title, xLabel, yLabel: String
  private let yScale: AxisScale

  /// Plots curves over common axes.
  public init(
    _ title: String, series: [Series], xLabel: String = "", yLabel: String = "", yScale: AxisScale = .linear
  ) {
    (self.title, self.series) = (title, series)
    (self.xLabel, self.yLabel, self.yScale) = (xLabel, yLabel, yScale)
  }

  /// The chart as an SVG document.
  public var svg: String {
    let x = Axis(covering: series.flatMap(\.x), scale: .linear, margin: 0, label: xLabel)
    let y = Axis(covering: series.flatMap(\.y), scale: yScale, margin: 0.04, label: yLabel)
    return Chart(title: title, x: x, y: y, width: 520, height: 300, names: series.map(\.name)).svg {
      .stroke("M\($1.markup) \($2.markup)h22", of: $0)
    } content: { frame in
      series.enumerated().map { .stroke(path(frame.points($1.x, $1.y)), of: $0) }
    }
  }

  /// The path through points, with a gap at each that is nil.
  private func path(_ points: [Point?]) -> String {
    var path = ""
    for run in points.split(whereSeparator: { $0 == nil }) {
      let thinned = thinnedToHalfPixels(run.compactMap { $0 })
      path += thinned.path
      if thinned.count == 1 { path += "h0" }
    }
    return path
  }

  /// Keeps the first, the lowest, the highest and the last of the points in each column of half a pixel.
  private func thinnedToHalfPixels(_ points: [Point]) -> [Point] {
    var thinned: [Point] = []
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
