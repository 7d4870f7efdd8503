import Tensors

/// A heat map of a function of the plane, with optional samples over it.
///
/// ```swift
/// let grid = DensityPlot.Grid(x: -2...3, y: -1.5...2)
/// let density = exp(try logPDF(weights, grid.points()))
/// try DensityPlot("Two moons", density: density, on: grid, samples: draws).write(to: "moons.svg")
/// ```
///
/// A file name that ends in `.png` writes the map alone. Cells that are not finite stay empty. Samples that
/// are not finite or lie outside the grid are left out, and the plot shows every n-th of more than 4,000.
public struct DensityPlot: Picture {
  /// A regular grid: the centres of equal cells of a rectangle.
  public struct Grid: Sendable, Hashable {
    /// The ranges of the two coordinates.
    public let x, y: ClosedRange<Double>
    /// The number of cells along each side.
    public let columns, rows: Int

    /// Divides a rectangle into cells; without `rows`, the cells are square.
    ///
    /// - Precondition: The ranges are finite and not empty, and each has at least one cell.
    public init(x: ClosedRange<Double>, y: ClosedRange<Double>, columns: Int = 160, rows: Int? = nil) {
      let (width, height) = (x.upperBound - x.lowerBound, y.upperBound - y.lowerBound)
      require(
        width > 0 && height > 0 && width.isFinite && height.isFinite,
        "a grid has finite sides of positive length, got \(x) and \(y)")
      require(columns > 0 && rows ?? 1 > 0, "a grid has at least one cell, got \(columns) x \(rows ?? 1)")
      (self.x, self.y, self.columns) = (x, y, columns)
      let square = Double(columns) * min(max(height / width, 0.01), 4)
      self.rows = rows ?? max(1, Int(square.rounded()))
    }

    /// The centres of the cells, shape [rows * columns, 2], in row-major order: x rises first, then y.
    public func points(dtype: DType = .float32) -> Tensor {
      let (dx, dy) = (
        (x.upperBound - x.lowerBound) / Double(columns), (y.upperBound - y.lowerBound) / Double(rows)
      )
      let values = (0..<rows * columns).flatMap { cell in
        let (row, column) = cell.quotientAndRemainder(dividingBy: columns)
        return [x.lowerBound + (Double(column) + 0.5) * dx, y.lowerBound + (Double(row) + 0.5) * dy]
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

  /// Plots values on a grid.
  ///
  /// - Parameters:
  ///   - title: The heading of the plot.
  ///   - density: The values at `grid.points()` in the same order, in any shape.
  ///   - grid: The grid of the values.
  ///   - samples: Points drawn over the map, shape [count, 2].
  ///   - range: The values at the ends of the colour map; by default the smallest and the largest value.
  ///   - xLabel: The label of the x axis.
  ///   - yLabel: The label of the y axis.
  ///   - valueLabel: The label of the colour bar.
  ///   - colors: The colour map.
  /// - Precondition: There is one value per cell, and samples have shape [count, 2].
  public init(
    _ title: String, density: Tensor, on grid: Grid, samples: Tensor? = nil,
    range: ClosedRange<Double>? = nil,
    xLabel: String = "x1", yLabel: String = "x2", valueLabel: String = "density", colors: ColorMap = .dusk
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
    self.samples = samples.map { Coordinates($0, thinnedTo: 4_000) }
    self.range = range
  }

  /// The map without axes and samples as a PNG file; each cell is a square of pixels.
  public var png: [UInt8]? { map.enlarged(max(1, 640 / max(grid.columns, grid.rows))).bytes }

  /// The plot as an SVG document.
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
  private var values: Axis { Axis(colors: range, for: density, label: valueLabel) }

  /// The cells as pixels, from the top row down.
  private var map: PNG {
    let topDown = (0..<grid.rows).reversed().flatMap { density[$0 * grid.columns..<($0 + 1) * grid.columns] }
    return PNG(topDown, width: grid.columns, height: grid.rows, range: values.domain, colors: colors)
  }

  /// The samples as small white squares with a dark edge, visible on every colour.
  private func dots(in frame: Frame) -> [Markup] {
    guard let samples else { return [] }
    let path = frame.points(samples.x, samples.y).compactMap { $0 }
      .map { "M\(($0.x - 0.9).markup) \(($0.y - 0.9).markup)h1.8v1.8h-1.8z" }.joined()
    return [
      Markup(
        "path", ["d": path, "fill": "#fff", "stroke": "#000", "stroke-width": 0.5, "stroke-opacity": 0.7])
    ]
  }
}
