import Tensors

/// A square map of a number for each pair of named things, such as the likeness of the columns' relations.
///
/// ```swift
/// let scores = [[1, 0.8], [0.8, .nan]]
/// try HeatMap("Pair trends", names: ["price", "carat"], values: scores, range: 0...1).write(to: "pairs.svg")
/// ```
///
/// Values that are not finite leave their cell empty. Up to 14 things, each cell shows its number.
public struct HeatMap: Picture {
  private let title: String
  private let names: [String]
  private let values: [[Double]]
  private let range: ClosedRange<Double>?
  private let label: String
  private let colors: ColorMap

  /// Maps the value in row i and column j to the cell of things i and j.
  ///
  /// - Parameters:
  ///   - title: The heading.
  ///   - names: The names of the things, from the top and from the left.
  ///   - values: A row of values for each thing.
  ///   - range: The values at the ends of the colour map; by default the smallest and the largest.
  ///   - label: The label of the colour bar.
  ///   - colors: The colour map.
  /// - Precondition: There are as many rows, and values in each row, as names.
  public init(
    _ title: String, names: [String], values: [[Double]], range: ClosedRange<Double>? = nil,
    label: String = "", colors: ColorMap = .dusk
  ) {
    require(
      values.count == names.count && values.allSatisfy { $0.count == names.count },
      "\(names.count) names need a square of values, got \(values.map(\.count))")
    (self.title, self.names, self.values) = (title, names, values)
    (self.range, self.label, self.colors) = (range, label, colors)
  }

  /// The map as an SVG document.
  public var svg: String {
    let count = Double(max(names.count, 1))
    let cell = min(max(420 / count, 12), 44)
    let size = min(11, cell * 0.9)
    let shown = names.map { $0.fitted(to: 130, size: size) }
    let widest = shown.map { $0.width(size: size) }.max() ?? 0
    let top = Document.headingHeight(title) + 6
    let area = Area(x: widest + 20, y: top, width: cell * count, height: cell * count)
    let axis = Axis(colors: range, for: values.flatMap { $0 }.filter(\.isFinite), label: label)
    let bar = ColorBar(axis: axis, colors: colors, beside: area)
    var markup: [Markup] = []
    if !names.isEmpty {
      let png = PNG(
        values.flatMap { $0 }, width: names.count, height: names.count, range: axis.domain, colors: colors)
      // Each cell is enlarged, since not all viewers keep the edges of stretched pixels sharp.
      let scale = max(1, 240 / names.count)
      markup.append(.image(png.enlarged(scale).bytes, in: area, pixelated: true))
    }
    markup.append(Markup("path", ["class": "axis", "d": area.outline]))
    for (i, name) in shown.enumerated() {
      let place = (Double(i) + 0.5) * cell
      markup.append(.label(name, x: area.x - 6, y: area.y + place + 4, anchor: "end", size: size))
      let turned = "translate(\((area.x + place + 3).markup) \((area.bottom + 12).markup)) rotate(-45)"
      markup.append(
        Markup(
          "text", ["transform": turned, "text-anchor": "end", "font-size": size, "class": "ink"],
          [Markup(text: name)]))
    }
    if names.count <= 14 { markup += numbers(axis, cell, area) }
    let height = area.bottom + 24 + widest * 0.75
    return Document(width: bar.right + 20, height: height, title: title).svg(markup + bar.markup)
  }

  /// The numbers in the cells, light on dark colours and dark on light ones.
  private func numbers(_ axis: Axis, _ cell: Double, _ area: Area) -> [Markup] {
    var markup: [Markup] = []
    for (i, row) in values.enumerated() {
      for (j, value) in row.enumerated() where value.isFinite {
        let fraction = (value - axis.domain.lowerBound) / (axis.domain.upperBound - axis.domain.lowerBound)
        let (red, green, blue) = colors.rgb(at: fraction)
        let light = 0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue)
        markup.append(
          Markup(
            "text",
            [
              "x": area.x + (Double(j) + 0.5) * cell, "y": area.y + (Double(i) + 0.5) * cell + 4,
              "text-anchor": "middle", "font-size": min(11, cell * 0.36),
              "fill": light > 120 ? "#1f2328" : "#ffffff",
            ], [Markup(text: ((value * 100).rounded() / 100).markup)]))
      }
    }
    return markup
  }
}
