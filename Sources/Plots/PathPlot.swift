import Tensors

/// A plot of paths in the plane, such as the motion of samples along a continuous flow.
///
/// ```swift
/// let paths = try flow.trajectories(params, data[0..<200])
/// try PathPlot("Transport", paths: paths).write(to: "transport.svg")
/// ```
///
/// A position that is not finite leaves a gap in its path. The plot shows every n-th of more than 400 paths.
public struct PathPlot: Picture {
  /// The positions, [times, paths, 2].
  public let paths: Tensor
  private let title, start, end: String

  /// Plots paths, with dots at their starts and ends.
  ///
  /// - Parameters:
  ///   - start: the name of the starts in the legend.
  ///   - end: the name of the ends.
  /// - Precondition: `paths` has shape [times, paths, 2] with at least one time.
  public init(_ title: String, paths: Tensor, start: String = "data", end: String = "latents") {
    require(
      paths.rank == 3 && paths.shape[2] == 2 && paths.shape[0] > 0,
      "paths in the plane have shape [times, paths, 2], got \(paths.shape)")
    (self.title, self.paths, self.start, self.end) = (title, paths, start, end)
  }

  /// The plot as an SVG document.
  public var svg: String {
    let (times, count, numbers) = (paths.shape[0], paths.shape[1], paths.doubles)
    let shown = stride(from: 0, to: count, by: (count + 399) / 400 + (count == 0 ? 1 : 0))
    let drawn = shown.map { path in
      let places = (0..<times).map { 2 * ($0 * count + path) }
      return (x: places.map { numbers[$0] }, y: places.map { numbers[$0 + 1] })
    }
    let x = Axis(covering: drawn.flatMap(\.x), scale: .linear, margin: 0.04, label: "x1")
    let y = Axis(covering: drawn.flatMap(\.y), scale: .linear, margin: 0.04, label: "x2")
    let names = ["paths", start, end]
    return Chart(title: title, x: x, y: y, width: 480, height: 400, names: names).svg {
      $0 == 0
        ? .stroke("M\($1.markup) \($2.markup)h22", of: 0, width: 0.8)
        : .dots([($1 + 16, $2)], of: $0, size: 7, opacity: 0.8)
    } content: { frame in
      let points = drawn.map { frame.points($0.x, $0.y) }
      let lines = points.map { path in
        path.split(whereSeparator: { $0 == nil }).map { $0.compactMap { $0 }.path }.joined()
      }
      let starts = points.compactMap { $0.first.flatMap { $0 } }
      let ends = points.compactMap { $0.last.flatMap { $0 } }
      return [
        .stroke(lines.joined(), of: 0, width: 0.8), .dots(starts, of: 1, size: 3.6, opacity: 0.8),
        .dots(ends, of: 2, size: 3.6, opacity: 0.8),
      ]
    }
  }
}
