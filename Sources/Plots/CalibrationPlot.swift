import Tensors

/// Whether a model is as sure as it should be: the distribution of its probability integral transforms (PIT).
///
/// ```swift
/// // A flow's latents are standard normal where the model is right: Φ of them is uniform.
/// let u = 0.5 * (1 + erf(latents / 2.0.squareRoot()))
/// try CalibrationPlot("Held-out rows", pit: u, names: ["z1", "z2"]).write(to: "calibration.svg")
/// ```
///
/// The PIT of an outcome is the probability that the model gave to smaller ones. Where the model is calibrated they are
/// uniform, and the share observed below each level is that level: the diagonal. A curve that is steep in the middle says
/// that the model is too unsure, one that is steep at the ends too sure. In 99 of 100 samples of a calibrated model the
/// whole curve stays within the band (Kolmogorov's bound, ±1.63/√n).
public struct CalibrationPlot: Picture {
  private let title: String
  private let curves: [(name: String, values: [Double])]

  /// A plot of PIT values.
  ///
  /// - Parameters:
  ///   - title: What stands over the picture.
  ///   - pit: Values from 0 to 1, shape [count] or [count, columns]; what is not finite is left out.
  ///   - names: What the legend calls the columns.
  /// - Precondition: one or two axes; one name a column, or none.
  public init(_ title: String, pit: Tensor, names: [String] = []) {
    require((1...2).contains(pit.rank), "PIT values have shape [count] or [count, columns], got \(pit.shape)")
    let width = pit.rank == 1 ? 1 : pit.shape[1]
    require(names.isEmpty || names.count == width, "\(width) columns need as many names, got \(names.count)")
    self.title = title
    let values = pit.doubles
    curves = (0..<width).map { column in
      let own = stride(from: column, to: values.count, by: width).map { values[$0] }
      return (names.isEmpty ? "" : names[column], own.filter(\.isFinite).sorted())
    }
  }

  /// The plot as an SVG document.
  public var svg: String {
    let legend = Legend(names: curves.map(\.name).filter { !$0.isEmpty }, width: 400)
    let heading = Document.headingHeight(title)
    let frame = Frame(
      x: Axis(0...1, label: "level"), y: Axis(0...1, label: "share of outcomes below it"), width: 400,
      height: 400, top: heading + legend.height)
    let lines = curves.enumerated().map { index, curve in
      line(frame, CalibrationPlot.steps(curve.values), of: index)
    }
    let key = legend.markup(x: frame.area.x, y: heading) { index, x, y in
      Markup(
        "path",
        [
          "class": "s\(index % Document.seriesColors)", "stroke": "currentColor", "stroke-width": 2.5,
          "d": "M\((x + 4).markup) \(y.markup)h20",
        ])
    }
    return Document(width: frame.area.right + 28, height: frame.bottom, title: title)
      .svg(key + [frame.grid, band(frame), diagonal(frame)] + lines + frame.border)
  }

  /// The share of values up to each of 0, 1/200, ..., 1: sorted values.
  static func steps(_ sorted: [Double]) -> [(x: Double, y: Double)] {
    var below = 0
    return (0...200).map { step in
      let level = Double(step) / 200
      while below < sorted.count, sorted[below] <= level { below += 1 }
      return (level, Double(below) / Double(max(sorted.count, 1)))
    }
  }

  private func line(_ frame: Frame, _ points: [(x: Double, y: Double)], of index: Int) -> Markup {
    Markup(
      "path",
      [
        "class": "s\(index % Document.seriesColors)", "fill": "none", "stroke": "currentColor",
        "stroke-width": 1.8, "stroke-linejoin": "round", "d": path(frame, points),
      ])
  }

  /// Where the curve of the smallest sample should stay.
  private func band(_ frame: Frame) -> Markup {
    let count = curves.map(\.values.count).min() ?? 0
    let half = 1.63 / Double(max(count, 1)).squareRoot()
    let levels = (0...50).map { Double($0) / 50 }
    let edge =
      levels.map { (x: $0, y: min($0 + half, 1)) } + levels.reversed().map { (x: $0, y: max($0 - half, 0)) }
    return Markup(
      "path", ["class": "ink", "fill-opacity": 0.1, "d": path(frame, edge) + "Z"])
  }

  private func diagonal(_ frame: Frame) -> Markup {
    Markup("path", ["class": "axis", "stroke-dasharray": "4 4", "d": path(frame, [(0, 0), (1, 1)])])
  }

  private func path(_ frame: Frame, _ points: [(x: Double, y: Double)]) -> String {
    let places = frame.points(points.map(\.x), points.map(\.y)).compactMap { $0 }
    return places.enumerated().map { "\($0 == 0 ? "M" : "L")\($1.x.markup) \($1.y.markup)" }.joined()
  }
}
