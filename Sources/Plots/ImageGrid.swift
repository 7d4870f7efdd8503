import Tensors

/// A grid of small images, in groups with captions; for instance real digits beside generated ones.
///
/// ```swift
/// let grid = ImageGrid("Digits", groups: [.init("real", real), .init("generated", draws)], range: 0...16)
/// try grid.write(to: "digits.svg")
/// ```
///
/// A file name that ends in `.png` writes the images without title and captions. Pixels that are not finite
/// stay transparent.
public struct ImageGrid: Picture {
  /// A group of images with a caption.
  public struct Group: Sendable {
    /// The caption above the images.
    public let caption: String
    /// The images, shape [count, height, width].
    public let images: Tensor

    /// Gives images a caption.
    ///
    /// - Precondition: `images` has shape [count, height, width].
    public init(_ caption: String, _ images: Tensor) {
      require(images.rank == 3, "pictures have shape [count, height, width], got \(images.shape)")
      (self.caption, self.images) = (caption, images)
    }
  }

  /// The groups, from left to right.
  public let groups: [Group]
  private let title: String
  private let columns: Int?
  private let range: ClosedRange<Double>?
  private let colors: ColorMap

  /// Lays out groups of images.
  ///
  /// - Parameters:
  ///   - title: The heading of the grid.
  ///   - groups: The groups, from left to right.
  ///   - columns: The number of images per row of a group; by default the layout is about square.
  ///   - range: The values at the ends of the colour map; by default the smallest and the largest pixel.
  ///   - colors: The colour map.
  /// - Precondition: `columns` is at least 1.
  public init(
    _ title: String, groups: [Group], columns: Int? = nil, range: ClosedRange<Double>? = nil,
    colors: ColorMap = .gray
  ) {
    require(columns ?? 1 > 0, "a grid of pictures has at least one column, got \(columns ?? 1)")
    (self.title, self.groups, self.columns, self.range, self.colors) = (title, groups, columns, range, colors)
  }

  /// The images as a PNG file, the groups from left to right. Each pixel becomes a square of pixels.
  public var png: [UInt8]? {
    let whole = Mosaic(beside: mosaics, gap: 4)
    return whole.png(range: colorRange, colors: colors).enlarged(max(1, Int(scale))).bytes
  }

  /// The grid as an SVG document.
  public var svg: String {
    let (mosaics, scale, colorRange) = (mosaics, scale, colorRange)
    let top = Document.headingHeight(title) + 22
    var markup: [Markup] = []
    var (x, bottom) = (20.0, top)
    for (group, mosaic) in zip(groups, mosaics) {
      let area = Area(x: x, y: top, width: mosaic.width * scale, height: mosaic.height * scale)
      let room = max(area.width, 140)
      markup.append(
        .label(group.caption.fitted(to: room, size: 13), x: x, y: top - 8, anchor: "start", size: 13))
      if !mosaic.pixels.isEmpty {
        let png = mosaic.png(range: colorRange, colors: colors)
        markup.append(.image(png.bytes, in: area, pixelated: scale >= 1))
      }
      x += room + 32
      bottom = max(bottom, area.bottom)
    }
    return Document(width: max(x - 12, 200), height: bottom + 20, title: title).svg(markup)
  }

  private var mosaics: [Mosaic] { groups.map { Mosaic($0.images, columns: columns) } }

  /// The size of a pixel, which the largest group decides.
  private var scale: Double {
    let shown = mosaics.filter { !$0.pixels.isEmpty }
    let room = min(max(1_100 / Double(max(shown.count, 1)), 340), 540)
    return shown.map { $0.scale(fitting: room) }.min() ?? 1
  }

  /// The values at the ends of the colour map.
  private var colorRange: ClosedRange<Double> {
    Axis(colors: range, for: groups.flatMap { $0.images.doubles }).domain
  }
}
