import Tensors

/// Histograms of models over measured data, with a panel of their ratios below.
///
/// ```swift
/// let plot = HistogramPlot(
///   "Multiplicity", edges: bins.edges, data: .init("data", measured, errors: errors),
///   models: [.init("before", before), .init("after", after, band: (low, high))], xLabel: "pions")
/// try plot.write(to: "multiplicity.svg")
/// ```
///
/// Data are points with error bars, models are steps. A band is shaded from its lower to its upper edge in
/// each bin, such as the uncertainty of a model. The lower panel shows each model divided by the data, and
/// the data's relative errors around 1. Ratios beyond the panel are drawn at its edge. A bin without data, or
/// with an error above half of them, has none. Values that are not finite are left out.
public struct HistogramPlot: Picture {
  /// A histogram with a name.
  public struct Series: Sendable {
    /// The name in the legend.
    public let name: String
    let heights: [Double]
    let errors: [Double]
    let band: (lower: [Double], upper: [Double])?

    /// Names a histogram.
    ///
    /// - Parameters:
    ///   - heights: one number per bin.
    ///   - errors: half the length of each error bar; nil for none.
    ///   - band: the edges of a shaded band; nil for none.
    /// - Precondition: as many errors and edges as heights.
    public init(
      _ name: String, _ heights: [Double], errors: [Double]? = nil,
      band: (lower: [Double], upper: [Double])? = nil
    ) {
      let counts = [errors?.count, band?.lower.count, band?.upper.count].compactMap { $0 }
      require(
        counts.allSatisfy { $0 == heights.count },
        "\(heights.count) heights need as many errors and edges of a band, got \(counts)")
      (self.name, self.heights, self.band) = (name, heights, band)
      self.errors = errors ?? heights.map { _ in 0 }
    }

    /// The same divided by the heights of others, where these are positive and known well enough.
    fileprivate func divided(by others: Series) -> Series {
      func ratio(_ values: [Double]) -> [Double] {
        values.indices.map { bin in
          let height = others.heights[bin]
          return height > 0 && others.errors[bin] <= height / 2 ? values[bin] / height : .nan
        }
      }
      return Series(
        name, ratio(heights), errors: ratio(errors), band: band.map { (ratio($0.lower), ratio($0.upper)) })
    }
  }

  private let title, xLabel, yLabel: String
  private let edges: [Double]
  private let data: Series
  private let models: [Series]
  private let yScale: AxisScale

  /// Draws histograms over common bins.
  ///
  /// - Parameter edges: the edges of the bins, one more than there are heights.
  /// - Precondition: as many heights as bins in every series.
  public init(
    _ title: String, edges: [Double], data: Series, models: [Series], xLabel: String = "",
    yLabel: String = "",
    yScale: AxisScale = .linear
  ) {
    require(
      ([data] + models).allSatisfy { $0.heights.count == edges.count - 1 },
      "\(edges.count) edges need \(edges.count - 1) heights, got \(([data] + models).map(\.heights.count))")
    (self.title, self.edges, self.data, self.models) = (title, edges, data, models)
    (self.xLabel, self.yLabel, self.yScale) = (xLabel, yLabel, yScale)
  }

  /// The plot as an SVG document.
  public var svg: String {
    let (width, names) = (520.0, models.map(\.name) + [data.name])
    let (heading, legend) = (Document.headingHeight(title), Legend(names: names, width: width))
    let x = Axis(covering: edges, scale: .linear, margin: 0, label: "")
    let below = Axis(covering: edges, scale: .linear, margin: 0, label: xLabel)
    var upper = Frame(x: x, y: heightAxis, width: width, height: 240, top: heading + legend.height)
    var lower = Frame(
      x: below, y: ratioAxis, width: width, height: 100, top: upper.area.bottom + 16)
    let left = max(upper.area.x, lower.area.x)
    upper = upper.moved(to: left)
    lower = lower.moved(to: left)

    let key = legend.markup(x: left, y: heading) { series, x, y in
      series < models.count
        ? .stroke("M\(x.markup) \(y.markup)h22", of: series)
        : points([(x + 11, y - 5, y + 5, y)])
    }
    let one = Markup("path", ["class": "axis", "d": "M\(lower.path([edges[0], edges.last!], [1, 1]))"])
    let ratios = models.map { $0.divided(by: data) }
    return Document(width: left + width + 28, height: lower.bottom, title: title).svg(
      key + [upper.grid, lower.grid] + drawing(models, data, in: upper) + [upper.edge]
        + upper.y.labels(beside: upper.area) + [one]
        + drawing(ratios, data.divided(by: data), in: lower)
        + lower.border)
  }

  private var heightAxis: Axis {
    let bands = models.flatMap { ($0.band?.upper ?? []) + ($0.band?.lower ?? []) }
    let all = ([data] + models).flatMap(\.heights) + zip(data.heights, data.errors).map { $0 + $1 } + bands
    guard yScale == .linear else { return Axis(covering: all, scale: yScale, margin: 0.04, label: yLabel) }
    let shown = all.filter(\.isFinite)
    return Axis(min(shown.min() ?? 0, 0)...max(1.05 * (shown.max() ?? 1), 1e-300), label: yLabel)
  }

  /// An axis around 1 that shows the ratios of the bins that are measured well.
  private var ratioAxis: Axis {
    let far = models.flatMap { model in
      zip(model.divided(by: data).heights, data.divided(by: data).errors).compactMap {
        $0.isFinite && $1 < 0.2 ? abs($0 - 1) : nil
      }
    }
    let half = min(max((far.max() ?? 0.1) * 1.1, 0.1), 1)
    return Axis((1 - half)...(1 + half), label: "ratio to data")
  }

  private func drawing(_ models: [Series], _ data: Series, in frame: Frame) -> [Markup] {
    let bands = models.enumerated().compactMap { i, model in model.band.map { band(i, $0, in: frame) } }
    let lines = models.enumerated().map { Markup.stroke(steps($1.heights, in: frame), of: $0) }
    let bars = data.heights.indices.compactMap { bin -> Bar? in
      let (height, error) = (data.heights[bin], data.errors[bin])
      let x = (edges[bin] + edges[bin + 1]) / 2
      let places = frame.points([x, x, x], [height - error, height + error, height].map(frame.clamped))
      guard height.isFinite, error.isFinite, let a = places[0], let b = places[1], let c = places[2] else {
        return nil
      }
      return (a.x, b.y, a.y, c.y)
    }
    return bands + lines + [points(bars)]
  }

  private func steps(_ heights: [Double], in frame: Frame) -> String {
    var path = ""
    for (bin, height) in heights.enumerated() where height.isFinite {
      let joins = bin > 0 && heights[bin - 1].isFinite && !path.isEmpty
      path += (joins ? "L" : "M") + frame.path([edges[bin], edges[bin + 1]], [height, height])
    }
    return path
  }

  private func band(_ series: Int, _ band: (lower: [Double], upper: [Double]), in frame: Frame) -> Markup {
    var path = ""
    for (bin, (low, high)) in zip(band.lower, band.upper).enumerated() where low.isFinite && high.isFinite {
      let (left, right) = (edges[bin], edges[bin + 1])
      path += "M" + frame.path([left, right, right, left], [low, low, high, high]) + "Z"
    }
    return Markup(
      "path",
      [
        "class": Document.seriesClass(series), "fill": "currentColor", "fill-opacity": 0.25, "stroke": "none",
        "d": path,
      ])
  }

  /// An error bar with its point.
  private typealias Bar = (x: Double, top: Double, bottom: Double, middle: Double)

  private func points(_ bars: [Bar]) -> Markup {
    let path = bars.map {
      let (x, middle) = ($0.x, $0.middle)
      let dot = "M\((x - 2.5).markup) \(middle.markup)a2.5 2.5 0 1 1 5 0a2.5 2.5 0 1 1 -5 0Z"
      return "M\((x - 0.6).markup) \($0.top.markup)h1.2V\($0.bottom.markup)h-1.2Z" + dot
    }
    return Markup("path", ["class": "ink", "d": path.joined()])
  }
}

extension Frame {
  /// The same frame with its left side elsewhere.
  fileprivate func moved(to left: Double) -> Frame {
    Frame(x: x, y: y, area: Area(x: left, y: area.y, width: area.width, height: area.height))
  }

  /// A height inside the frame.
  fileprivate func clamped(_ height: Double) -> Double {
    switch y.axis.scale {
    case .linear: min(max(height, y.axis.domain.lowerBound), y.axis.domain.upperBound)
    case .logarithmic: height
    }
  }

  /// The path through points, those beyond the upper or lower side on it.
  fileprivate func path(_ xs: [Double], _ ys: [Double]) -> String {
    let path = points(xs, ys.map(clamped)).compactMap { $0 }.path
    return path.isEmpty ? "\(area.x.markup) \(area.bottom.markup)" : String(path.dropFirst())
  }
}
