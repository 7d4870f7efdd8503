/// What the colours of a map mean: a bar with ticks on the right of an area.
struct ColorBar {
  private let axis: Axis
  private let colors: ColorMap
  private let area: Area
  private let ticks: [Tick]

  init(axis: Axis, colors: ColorMap, beside map: Area) {
    (self.axis, self.colors) = (axis, colors)
    area = Area(x: map.right + 22, y: map.y, width: 14, height: map.height)
    ticks = axis.ticks(count: max(2, Int(map.height / 50)))
  }

  /// The right end of everything the bar draws.
  var right: Double { labelsRight + (axis.label.isEmpty ? 0 : 24) }

  var markup: [Markup] {
    let ramp = PNG(
      (0..<255).reversed().map { Double($0) }, width: 1, height: 255, range: 0...254, colors: colors)
    let places = axis.fractions(of: ticks.map(\.value)).map { area.bottom - $0 * area.height }
    let marks = places.map { "M\(area.right.markup) \($0.markup)h5" }.joined()
    let edge =
      "M\(area.x.markup) \(area.y.markup)h\(area.width.markup)v\(area.height.markup)h-\(area.width.markup)z"
    var markup = [
      Markup.image(ramp.bytes, in: area, pixelated: false),
      Markup("path", ["class": "axis", "d": edge + marks]),
    ]
    for (label, place) in zip(Tick.labels(ticks), places) {
      markup.append(.label(label, x: area.right + 8, y: place + 4, anchor: "start"))
    }
    if !axis.label.isEmpty {
      markup.append(
        .uprightLabel(axis.label.fitted(to: area.height), x: labelsRight + 18, y: area.y + area.height / 2))
    }
    return markup
  }

  private var labelsRight: Double { area.right + 8 + (Tick.labels(ticks).map { $0.width() }.max() ?? 0) }
}
