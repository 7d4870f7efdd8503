import Tensors

/// A calibration plot: the empirical distribution of probability integral transforms (PIT) against the
/// uniform one.
///
/// ```swift
/// // The latents of a correct model are standard normal, so their normal probabilities are uniform.
/// let u = 0.5 * (1 + erf(latents / 2.0.squareRoot()))
/// try CalibrationPlot("Held-out rows", pit: u, names: ["z1", "z2"]).write(to: "calibration.svg")
/// ```
///
/// The PIT of an outcome is the probability that the model assigns to smaller outcomes. A calibrated model
/// has uniform PIT values, so its curve follows the diagonal. A curve that is steep in the middle shows
/// predictions that are too wide; a curve that is steep at the ends shows predictions that are too narrow.
/// The band holds the whole curve in 99 of 100 samples of a calibrated model (Kolmogorov's bound, ±1.63/√n).
public struct CalibrationPlot: Picture {
  private let title: String
  private let curves: [(name: String, values: [Double])]

  /// Plots PIT values, one curve per column.
  ///
  /// - Parameters:
  ///   - title: The heading of the plot.
  ///   - pit: Values from 0 to 1, shape [count] or [count, columns]. Values that are not finite are left out.
  ///   - names: The columns' names in the legend; by default there is no legend.
  /// - Precondition: `pit` has one or two axes, and `names` is empty or has one name per column.
  public init(_ title: String, pit: Tensor, names: [String] = []) {
    require((1...2).contains(pit.rank), "PIT values have shape [count] or [count, columns], got \(pit.shape)")
    let width = pit.rank == 1 ? 1 : pit.shape[1]
    require(names.isEmpty || names.count == width, "\(width) columns need as many names, got \(names.count)")
    self.title = title
    let columns = pit.reshaped(to: [pit.shape[0], width])
    curves = (0..<width).map { column in
      (names.isEmpty ? "" : names[column], columns.column(column).filter(\.isFinite).sorted())
    }
  }

  /// The plot as an SVG document.
  public var svg: String {
    let x = Axis(0...1, label: "level")
    let y = Axis(0...1, label: "share of outcomes below it")
    let names = curves.map(\.name).filter { !$0.isEmpty }
    return Chart(title: title, x: x, y: y, width: 400, height: 400, names: names).svg {
      .stroke("M\(($1 + 4).markup) \($2.markup)h20", of: $0, width: 2.5)
    } content: { frame in
      [
        band(frame),
        Markup("path", ["class": "axis", "stroke-dasharray": "4 4", "d": path(frame, [(0, 0), (1, 1)])]),
      ] + curves.enumerated().map { .stroke(path(frame, CalibrationPlot.steps($1.values)), of: $0) }
    }
  }

  /// The share of sorted values up to each of the levels 0, 1/200, ..., 1.
  static func steps(_ sorted: [Double]) -> [Point] {
    var below = 0
    return (0...200).map { step in
      let level = Double(step) / 200
      while below < sorted.count, sorted[below] <= level { below += 1 }
      return (level, Double(below) / Double(max(sorted.count, 1)))
    }
  }

  /// The band for the curve with the fewest values.
  private func band(_ frame: Frame) -> Markup {
    let count = curves.map(\.values.count).min() ?? 0
    let half = 1.63 / Double(max(count, 1)).squareRoot()
    let levels = (0...50).map { Double($0) / 50 }
    let edge =
      levels.map { (x: $0, y: min($0 + half, 1)) } + levels.reversed().map { (x: $0, y: max($0 - half, 0)) }
    return Markup("path", ["class": "ink", "fill-opacity": 0.1, "d": path(frame, edge) + "Z"])
  }

  private func path(_ frame: Frame, _ points: [Point]) -> String {
    frame.points(points.map(\.x), points.map(\.y)).compactMap { $0 }.path
  }
}
