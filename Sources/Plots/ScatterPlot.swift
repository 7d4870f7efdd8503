import Tensors

/// Points in the plane, in named groups.
///
/// ```swift
/// let plot = ScatterPlot("Two moons", series: [.init("data", data), .init("samples", draws)])
/// try plot.write(to: "moons.svg")
/// ```
///
/// Points that are not finite are left out. Of a group larger than 4,000 every n-th point is drawn.
public struct ScatterPlot: Picture {
  /// One group of points.
  public struct Series: Sendable {
    /// What the legend calls it.
    public let name: String
    /// The points, shape [count, 2].
    public let points: Tensor

    /// A group of points.
    ///
    /// - Precondition: shape [count, 2].
    public init(_ name: String, _ points: Tensor) {
      require(
        points.rank == 2 && points.shape[1] == 2,
        "points in the plane have shape [count, 2], got \(points.shape)")
      (self.name, self.points) = (name, points)
    }
  }

  /// The groups, first to last from back to front.
  public let series: [Series]
  private let title, xLabel, yLabel: String

  /// A plot of some groups of points.
  public init(_ title: String, series: [Series], xLabel: String = "", yLabel: String = "") {
    (self.title, self.series, self.xLabel, self.yLabel) = (title, series, xLabel, yLabel)
  }

  /// The plot as an SVG document.
  public var svg: String {
    let drawn = series.map { Coordinates(thinning: $0.points, to: 4_000) }
    let xAxis = Axis(covering: drawn.flatMap(\.x), scale: .linear, margin: 0.04, label: xLabel)
    let yAxis = Axis(covering: drawn.flatMap(\.y), scale: .linear, margin: 0.04, label: yLabel)
    let legend = Legend(names: series.map(\.name), width: 480)
    let heading = Document.headingHeight(title)
    let frame = Frame(x: xAxis, y: yAxis, width: 480, height: 400, top: heading + legend.height)
    let clouds = drawn.enumerated().map { index, points in
      dots(frame.points(points.x, points.y).compactMap { $0 }, of: index, size: 3.6)
    }
    let key = legend.markup(x: frame.area.x, y: heading) { index, x, y in
      dots([(x + 16, y)], of: index, size: 7)
    }
    return Document(width: frame.area.right + 28, height: frame.bottom, title: title)
      .svg(key + [frame.grid] + clouds + frame.border)
  }

  /// Round dots in the colour of a series: lines of no length with round ends.
  private func dots(_ points: [(x: Double, y: Double)], of index: Int, size: Double) -> Markup {
    Markup(
      "path",
      [
        "class": "s\(index % Document.seriesColors)", "fill": "none", "stroke": "currentColor",
        "stroke-width": size, "stroke-linecap": "round", "stroke-opacity": 0.65,
        "d": points.map { "M\($0.x.markup) \($0.y.markup)h0" }.joined(),
      ])
  }
}

/// The columns of points in the plane.
struct Coordinates {
  let x, y: [Double]

  /// At most `limit` of the points, evenly from all.
  init(thinning points: Tensor, to limit: Int) {
    let values = points.doubles
    let count = points.shape[0]
    let rows = stride(from: 0, to: count, by: max(1, (count + limit - 1) / limit))
    x = rows.map { values[2 * $0] }
    y = rows.map { values[2 * $0 + 1] }
  }
}
