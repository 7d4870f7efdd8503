import Tensors

/// A function of the plane as a map of colours, with samples over it.
///
/// ```swift
/// let grid = DensityPlot.Grid(x: -2...3, y: -1.5...2)
/// let density = exp(try logPDF(weights, grid.points()))
/// try DensityPlot("Two moons", density: density, on: grid, samples: draws).write(to: "moons.svg")
/// ```
///
/// A name that ends in `.png` gets the map alone. Cells that are not finite stay empty; samples that are not finite or lie outside the grid are left out, and of more
/// than 4,000 every n-th is drawn.
public struct DensityPlot: Picture {
  /// The points at which the function is known: the centres of equal cells of a rectangle.
  public struct Grid: Sendable, Hashable {
    /// The rectangle's sides.
    public let x, y: ClosedRange<Double>
    /// The number of cells along each side.
    public let columns, rows: Int

    /// Cells of a rectangle; without `rows`, square ones.
    ///
    /// - Precondition: finite sides of positive length, at least one cell along each.
    public init(x: ClosedRange<Double>, y: ClosedRange<Double>, columns: Int = 160, rows: Int? = nil) {
      let (width, height) = (x.upperBound - x.lowerBound, y.upperBound - y.lowerBound)
      require(
        width > 0 && height > 0 && width.isFinite && height.isFinite,
        "a grid has finite sides of positive length, got \(x) and \(y)")
      require(
        columns > 0 && rows ?? 1 > 0, "a grid has at least one cell, got \(columns) x \(rows ?? 1)")
      (self.x, self.y, self.columns) = (x, y, columns)
      let square = Double(columns) * min(max(height / width, 0.01), 4)
      self.rows = rows ?? max(1, Int(square.rounded()))
    }

    /// The cells' centres, shape [rows * columns, 2]: x rises first, then y.
    public func points(dtype: DType = .float32) -> Tensor {
      let (dx, dy) = (
        (x.upperBound - x.lowerBound) / Double(columns), (y.upperBound - y.lowerBound) / Double(rows)
      )
      var values: [Double] = []
      values.reserveCapacity(2 * rows * columns)
      for row in 0..<rows {
        for column in 0..<columns {
          values.append(x.lowerBound + (Double(column) + 0.5) * dx)
          values.append(y.lowerBound + (Double(row) + 0.5) * dy)
        }
      }
      return Tensor(values, shape: [rows * columns, 2], dtype: dtype)
    }
  }

  private let title, xLabel, yLabel, valueLabel: String
  private let density: [Double]
  private let grid: Grid
  private let samples: Coordinates?
  private let range: ClosedRange<Double>?
  private let colors: ColorMap

  /// A map of the values at a grid's points.
  ///
  /// - Parameters:
  ///   - title: What stands over the picture.
  ///   - density: The values at `grid.points()`, in that order, in any shape.
  ///   - grid: Where the values are.
  ///   - samples: Points to draw over the map, shape [count, 2].
  ///   - range: The values of the ends of the colours; by default the smallest and the largest.
  ///   - xLabel: What stands under the picture.
  ///   - yLabel: What stands beside the picture.
  ///   - valueLabel: What stands beside the colour bar.
  ///   - colors: The colours.
  /// - Precondition: one value a cell; samples in the plane.
  public init(
    _ title: String, density: Tensor, on grid: Grid, samples: Tensor? = nil,
    range: ClosedRange<Double>? = nil,
    xLabel: String = "", yLabel: String = "", valueLabel: String = "density", colors: ColorMap = .dusk
  ) {
    require(
      density.count == grid.rows * grid.columns,
      "a grid of \(grid.rows) x \(grid.columns) cells needs as many values, got shape \(density.shape)")
    if let samples {
      require(
        samples.rank == 2 && samples.shape[1] == 2,
        "samples in the plane have shape [count, 2], got \(samples.shape)")
    }
    (self.title, self.xLabel, self.yLabel, self.valueLabel) = (title, xLabel, yLabel, valueLabel)
    (self.density, self.grid, self.colors) = (density.doubles, grid, colors)
    self.samples = samples.map { Coordinates(thinning: $0, to: 4_000) }
    self.range = range
  }

  /// The map alone, without axes and samples, as a PNG file: each cell a square of pixels.
  public var png: [UInt8]? { map.enlarged(max(1, 640 / max(grid.columns, grid.rows))).bytes }

  /// The map as an SVG document.
  public var svg: String {
    let width = 460.0
    let height = min(max(width * Double(grid.rows) / Double(grid.columns), 200), 560)
    let frame = Frame(
      x: Axis(grid.x, label: xLabel), y: Axis(grid.y, label: yLabel), width: width, height: height,
      top: Document.headingHeight(title))
    let bar = ColorBar(axis: values, colors: colors, beside: frame.area)
    let cells = Markup.image(map.bytes, in: frame.area, pixelated: grid.columns < 100)
    return Document(width: bar.right + 12, height: frame.bottom, title: title)
      .svg([cells] + dots(in: frame) + frame.border + bar.markup)
  }

  /// The axis of the colours.
  private var values: Axis {
    let shown = range.map { [$0.lowerBound, $0.upperBound] } ?? density
    return Axis(covering: shown, scale: .linear, margin: 0, label: valueLabel)
  }

  /// The cells' colours, from the top.
  private var map: PNG {
    let topDown = (0..<grid.rows).reversed().flatMap { density[$0 * grid.columns..<($0 + 1) * grid.columns] }
    return PNG(topDown, width: grid.columns, height: grid.rows, range: values.domain, colors: colors)
  }

  /// Small white squares with a dark edge, which stand out on every colour.
  private func dots(in frame: Frame) -> [Markup] {
    guard let samples else { return [] }
    let path = frame.points(samples.x, samples.y).compactMap { $0 }
      .map { "M\(($0.x - 0.9).markup) \(($0.y - 0.9).markup)h1.8v1.8h-1.8z" }.joined()
    return [
      Markup(
        "path",
        ["d": path, "fill": "#fff", "stroke": "#000", "stroke-width": 0.5, "stroke-opacity": 0.7])
    ]
  }
}
