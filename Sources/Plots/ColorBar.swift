/// The key of a colour map: a bar of its colours with a labelled axis, to the right of an area.
struct ColorBar {
  private let ruler: Ruler
  private let colors: ColorMap
  private let area: Area

  init(axis: Axis, colors: ColorMap, beside map: Area) {
    ruler = Ruler(axis, ticks: axis.ticks(count: max(2, Int(map.height / 50))), length: map.height)
    self.colors = colors
    area = Area(x: map.right + 22, y: map.y, width: 14, height: map.height)
  }

  /// The right end of the bar, its ticks and its labels.
  var right: Double { labelsRight + (ruler.axis.label.isEmpty ? 0 : 24) }

  var markup: [Markup] {
    let ramp = PNG(
      (0..<255).reversed().map { Double($0) }, width: 1, height: 255, range: 0...254, colors: colors)
    let marks = ruler.places.map { "M\(area.right.markup) \((area.bottom - $0).markup)h5" }.joined()
    let labels = zip(ruler.labels, ruler.places).map { label, place in
      Markup.label(label, x: area.right + 8, y: area.bottom - place + 4, anchor: "start")
    }
    return [
      .image(ramp.bytes, in: area, pixelated: false),
      Markup("path", ["class": "axis", "d": area.outline + marks]),
    ] + labels + ruler.title(at: labelsRight + 18, beside: area)
  }

  private var labelsRight: Double { area.right + 8 + ruler.widestLabel }
}
