import Tensors

/// Small pictures side by side, in groups with captions: real digits on the left, generated ones on the right.
///
/// ```swift
/// let grid = ImageGrid("Digits", groups: [.init("real", real), .init("generated", draws)], range: 0...16)
/// try grid.write(to: "digits.svg")
/// ```
///
/// A name that ends in `.png` gets the pictures alone, without title and captions. Pixels that are not finite stay empty.
public struct ImageGrid: Picture {
  /// Pictures under one caption.
  public struct Group: Sendable {
    /// What stands over the pictures.
    public let caption: String
    /// The pictures, shape [count, height, width].
    public let images: Tensor

    /// Pictures under a caption.
    ///
    /// - Precondition: shape [count, height, width].
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

  /// A picture of groups of pictures.
  ///
  /// - Parameters:
  ///   - title: What stands over the picture.
  ///   - groups: The pictures.
  ///   - columns: How many stand in a row of a group; by default as many as there are rows.
  ///   - range: The values of the ends of the colours; by default the smallest and the largest pixel of all groups.
  ///   - colors: The colours.
  /// - Precondition: `columns` at least 1.
  public init(
    _ title: String, groups: [Group], columns: Int? = nil, range: ClosedRange<Double>? = nil,
    colors: ColorMap = .gray
  ) {
    require(columns ?? 1 > 0, "a grid of pictures has at least one column, got \(columns ?? 1)")
    (self.title, self.groups, self.columns, self.range, self.colors) = (title, groups, columns, range, colors)
  }

  /// The pictures alone as a PNG file, the groups from left to right: each pixel a square of pixels.
  public var png: [UInt8]? {
    let whole = Mosaic(beside: mosaics, gap: 4)
    return PNG(
      whole.pixels, width: Int(whole.width), height: Int(whole.height), range: colorRange, colors: colors
    ).enlarged(max(1, Int(scale))).bytes
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
        let png = PNG(
          mosaic.pixels, width: Int(mosaic.width), height: Int(mosaic.height), range: colorRange,
          colors: colors)
        markup.append(.image(png.bytes, in: area, pixelated: scale >= 1))
      }
      x += room + 32
      bottom = max(bottom, area.bottom)
    }
    return Document(width: max(x - 12, 200), height: bottom + 20, title: title).svg(markup)
  }

  private var mosaics: [Mosaic] { groups.map { Mosaic($0.images, columns: columns) } }

  /// The size of a pixel: that of the largest group.
  private var scale: Double { mosaics.filter { !$0.pixels.isEmpty }.map(\.scale).min() ?? 1 }

  /// The values of the ends of the colours.
  private var colorRange: ClosedRange<Double> {
    let pixels = range.map { [$0.lowerBound, $0.upperBound] } ?? groups.flatMap { $0.images.doubles }
    return Axis(covering: pixels, scale: .linear, margin: 0, label: "").domain
  }
}
