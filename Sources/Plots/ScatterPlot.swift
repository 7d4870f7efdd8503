import Tensors

/// A scatter plot of named groups of points in the plane.
///
/// ```swift
/// let plot = ScatterPlot("Two moons", series: [.init("data", data), .init("samples", draws)])
/// try plot.write(to: "moons.svg")
/// ```
///
/// Points that are not finite are left out. The plot shows every n-th point of a group with more than 4,000.
public struct ScatterPlot: Picture {
  /// A named group of points.
  public struct Series: Sendable {
    /// The name in the legend.
    public let name: String
    /// The points, shape [count, 2].
    public let points: Tensor

    /// Names a group of points.
    ///
    /// - Precondition: `points` has shape [count, 2].
    public init(_ name: String, _ points: Tensor) {
      require(
        points.rank == 2 && points.shape[1] == 2,
        "points in the plane have shape [count, 2], got \(points.shape)")
      (self.name, self.points) = (name, points)
    }
  }

  /// The groups in drawing order, the first at the back.
  public let series: [Series]
  private let title, xLabel, yLabel: String

  /// Plots groups of points over common axes.
  public init(_ title: String, series: [Series], xLabel: String = "x1", yLabel: String = "x2") {
    (self.title, self.series, self.xLabel, self.yLabel) = (title, series, xLabel, yLabel)
  }

  /// The plot as an SVG document.
  public var svg: String {
    let drawn = series.map { Coordinates($0.points, thinnedTo: 4_000) }
    let x = Axis(covering: drawn.flatMap(\.x), scale: .linear, margin: 0.04, label: xLabel)
    let y = Axis(covering: drawn.flatMap(\.y), scale: .linear, margin: 0.04, label: yLabel)
    return Chart(title: title, x: x, y: y, width: 480, height: 400, names: series.map(\.name)).svg {
      .dots([($1 + 16, $2)], of: $0, size: 7, opacity: 0.65)
    } content: { frame in
      drawn.enumerated().map { index, points in
        .dots(frame.points(points.x, points.y).compactMap { $0 }, of: index, size: 3.6, opacity: 0.65)
      }
    }
  }
}
