import Foundation
import Tensors
import TestSupport
import Testing

@testable import Plots

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct PictureTests {
  /// One picture of each kind, and of each kind one that has nothing sound to show; the most bytes it may
  /// take.
  static let pictures: [(name: String, picture: any Picture, limit: Int)] = [
    ("images", ImageGrid("Digits", groups: [.init("real", images(64)), .init("made", images(64))]), 20_000),
    (
      "one row", ImageGrid("", groups: [.init("row", images(5))], columns: 5, range: 0...16, colors: .ink),
      5_000
    ),
    ("no images", ImageGrid("None", groups: [.init("none", images(0))]), 2_500),
    ("no groups", ImageGrid("None", groups: []), 2_500),
    (
      "lost pixels",
      ImageGrid("NaN", groups: [.init("lost", Tensor([.nan, .infinity, 0, 1], shape: [1, 2, 2]))]), 4_000
    ),
    ("large image", ImageGrid("Large", groups: [.init("one", wave([1, 500, 700]))]), 600_000),
    (
      "density",
      DensityPlot("Moons", density: bump, on: grid, samples: wave([1_000, 2]), xLabel: "x", yLabel: "y"),
      50_000
    ),
    ("log density", DensityPlot("", density: log(bump), on: grid, range: -10 ... -1), 25_000),
    (
      "lost density",
      DensityPlot(
        "NaN", density: Tensor([.nan, .infinity, -.infinity, .nan]),
        on: .init(x: 0...1, y: 0...1, columns: 2),
        samples: Tensor([[.nan, 0], [.infinity, 1], [5, 5]])),
      8_000
    ),
    (
      "scatter", ScatterPlot("Points", series: [.init("a", wave([20_000, 2])), .init("b", wave([9, 2]))]),
      90_000
    ),
    ("paths", PathPlot("Transport", paths: wave([17, 900, 2])), 150_000),
    (
      "lost paths", PathPlot("", paths: Tensor([.nan, 1, 2, .infinity, 0, 0, 1, 1], shape: [4, 1, 2])), 6_000
    ),
    ("no paths", PathPlot("", paths: .zeros([3, 0, 2])), 6_000),
    ("lost points", ScatterPlot("", series: [.init("a", Tensor([[.nan, 1], [1e308, -1e308]]))]), 6_000),
    ("no points", ScatterPlot("", series: [.init("a", Tensor([], shape: [0, 2]))]), 5_000),
    ("no series", ScatterPlot("", series: []), 5_000),
    ("lines", LineChart("Loss", series: [.init("a", sines(100_000)), .init("b", sines(100))]), 90_000),
    (
      "lost lines",
      LineChart("", series: [.init("a", [.nan, 1, .infinity, 2, -1, 0])], yScale: .logarithmic), 6_000
    ),
    ("flat line", LineChart("", series: [.init("a", [3, 3, 3])]), 6_000),
    ("no lines", LineChart("", series: []), 5_000),
    (
      "histograms",
      HistogramPlot(
        "Multiplicity", edges: (0...30).map { Double($0) },
        data: .init("data", humps(30, 14), errors: humps(30, 14).map { $0 / 9 }),
        models: [
          .init("before", humps(30, 11)),
          .init("after", humps(30, 13.7), band: (humps(30, 13.4), humps(30, 13.9))),
        ], xLabel: "pions", yLabel: "share"), 20_000
    ),
    (
      "lost histograms",
      HistogramPlot(
        "", edges: [0, 1, 2, 3], data: .init("", [.nan, 0, 1], errors: [1, 1, .infinity]),
        models: [.init("", [.infinity, -1, 1e300], band: ([0, .nan, 0], [1, 1, 1e300]))],
        yScale: .logarithmic), 6_000
    ),
    ("no histograms", HistogramPlot("", edges: [0, 1], data: .init("", [0]), models: []), 6_000),
    ("many lines", LineChart("", series: (0..<30).map { .init("series \($0)", [0, Double($0)]) }), 20_000),
    (
      "corner",
      CornerPlot(
        "Corner", series: [.init("data", wave([3_000, 4])), .init("draws", 2 * wave([90, 4]))],
        names: ["a", "b", "c", "d"]), 190_000
    ),
    ("corner of one", CornerPlot("", series: [.init("data", wave([30, 1]))], names: ["a"]), 5_000),
    (
      "corner of many",
      CornerPlot("", series: [.init("", wave([50, 12]))], names: (0..<12).map { "column \($0)" }), 90_000
    ),
    (
      "lost corner",
      CornerPlot(
        "",
        series: [
          .init("a", Tensor([[.nan, 1], [1e308, -.infinity]])), .init("b", Tensor([], shape: [0, 2])),
        ],
        names: ["<x>", ""]), 8_000
    ),
    (
      "marginals",
      MarginalsPlot(
        "Columns", series: ["real", "synthetic"],
        panels: [
          .numbers("x", [sines(5_000), sines(90)], note: "0.97"),
          .categories("<b>", (0..<20).map { "level \($0)" }, [sines(20).map(abs), sines(20).map(abs)]),
        ]), 9_000
    ),
    (
      "lost marginals",
      MarginalsPlot(
        "", series: [],
        panels: [
          .numbers("", []), .numbers("a", [[.nan, .infinity], []]), .numbers("b", [[1e308, -1e308], [3]]),
          .categories("c", [], [[], []]), .categories("d", ["x"], [[.nan]]), .categories("e", ["x"], [[0]]),
        ]), 9_000
    ),
    ("no marginals", MarginalsPlot("", series: ["real"], panels: []), 2_500),
    (
      "heat map",
      HeatMap("Pairs", names: ["a", "<b>"], values: [[1, 0.5], [0.5, .nan]], range: 0...1, label: "x"), 8_000
    ),
    (
      "large heat map",
      HeatMap("", names: (0..<60).map { "name \($0)" }, values: .init(repeating: sines(60), count: 60)),
      60_000
    ),
    ("lost heat map", HeatMap("", names: ["a"], values: [[.infinity]]), 6_000),
    ("no heat map", HeatMap("", names: [], values: []), 6_000),
    ("calibration", CalibrationPlot("PIT", pit: wave([500, 2]), names: ["z1", "z2"]), 12_000),
    ("lost calibration", CalibrationPlot("", pit: Tensor([.nan, -1, 2])), 8_000),
    ("no calibration", CalibrationPlot("", pit: Tensor([], shape: [0])), 8_000),
    (
      "markup in names",
      LineChart(
        "<a> & \"b\" \u{1}\u{0}", series: [.init("</text>&", [1, 2])], xLabel: "'<'", yLabel: "\u{FFFE}"),
      6_000
    ),
  ]

  @Test(arguments: pictures.indices)
  func isWellFormedSmallAndTheSameAgain(index: Int) throws {
    let (name, picture, limit) = PictureTests.pictures[index]
    let svg = picture.svg
    let parser = XMLParser(data: Data(svg.utf8))
    #expect(parser.parse(), "\(name): \(String(describing: parser.parserError))")
    #expect(svg.hasPrefix("<?xml") && svg.hasSuffix("</svg>\n"), "\(name)")
    #expect(svg.utf8.count < limit, "\(name) takes \(svg.utf8.count) bytes")
    #expect(picture.svg == svg, "\(name)")
  }

  @Test func writesWholeFiles() throws {
    let path = NSTemporaryDirectory() + "flows-" + UUID().uuidString + ".svg"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let picture = LineChart("Loss", series: [.init("a", [1, 2])])
    try picture.write(to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == picture.svg)
    let message = "expected a place to write a picture to, got none"
    #expect(throws: FlowError.file(path: path + "/x.svg", row: nil, column: nil, message: message)) {
      try picture.write(to: path + "/x.svg")
    }
  }

  @Test func gridsRunFromTheLowerLeft() {
    let grid = DensityPlot.Grid(x: 0...4, y: 10...12, columns: 4)
    #expect(grid.rows == 2)
    let points = grid.points(dtype: .float64)
    #expect(points.shape == [8, 2])
    #expect(Array(points.doubles.prefix(4)) == [0.5, 10.5, 1.5, 10.5])
    #expect(Array(points.doubles.suffix(2)) == [3.5, 11.5])
  }

  @Test func mosaicsKeepPicturesApart() {
    let images = Tensor((1...12).map { Double($0) }, shape: [3, 2, 2])
    let mosaic = Mosaic(images, columns: 2)
    #expect(mosaic.width == 5 && mosaic.height == 5)
    let gap = Double.nan
    let expected: [Double] = [
      1, 2, gap, 5, 6,
      3, 4, gap, 7, 8,
      gap, gap, gap, gap, gap,
      9, 10, gap, gap, gap,
      11, 12, gap, gap, gap,
    ]
    #expect(isClose(Tensor(mosaic.pixels), Tensor(expected), 0))
  }

  /// The width in the picture of each of some groups of 100 images, 89 pixels wide.
  @Test(arguments: [(1, 534), (2, 534), (3, 356), (5, 267)])
  func imagesAreLargeWhereGroupsAreFew(groups: Int, width: Int) {
    let group = ImageGrid.Group("digits", Self.images(100))
    let svg = ImageGrid("", groups: [ImageGrid.Group](repeating: group, count: groups)).svg
    #expect(svg.split(separator: "<image").dropFirst().allSatisfy { $0.contains("width=\"\(width)\"") })
    #expect(svg.split(separator: "<image").count == groups + 1)
  }

  @Test func longCurvesKeepTheirExtremes() {
    var values = [Double](repeating: 0, count: 50_000)
    values[31_234] = 1
    let svg = LineChart("", series: [.init("a", values)]).svg
    let spiked = LineChart("", series: [.init("a", [0, 1, 0], x: [0, 31_234, 49_999])]).svg
    let top = spiked.split(separator: "L").map { $0.split(separator: " ").last.map { String($0) } }
    #expect(svg.contains(" \(top[1] ?? "none")L"))
  }

  @Test(
    arguments: [
      (0, "0"), (-0.001, "0"), (12, "12"), (0.5, "0.5"), (-3.256, "-3.26"), (1.05, "1.05"), (99.999, "100"),
      (.nan, "0"),
    ] as [(Double, String)])
  func numbersAreShort(number: Double, text: String) {
    #expect(number.markup == text)
  }

  // MARK: - Inputs

  private static func images(_ count: Int) -> Tensor { wave([count, 8, 8]) }

  /// A triangle of bins around a place.
  static func humps(_ count: Int, _ middle: Double) -> [Double] {
    (0..<count).map { max(0, 8 - abs(Double($0) + 0.5 - middle)) / 64 }
  }
  private static func sines(_ count: Int) -> [Double] { wave([count]).doubles }

  private static let grid = DensityPlot.Grid(x: -2...2, y: -1...1)

  /// A Gaussian over the grid.
  private static var bump: Tensor { exp(-2 * square(grid.points(dtype: .float64)).sum(axis: 1)) }
}
