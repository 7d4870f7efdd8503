/// An axis along one side of a rectangle, with its ticks, their labels and a title.
struct Ruler {
  let axis: Axis
  var ticks: [Tick]
  let length: Double
  let fontSize: Double

  init(_ axis: Axis, ticks: [Tick], length: Double, fontSize: Double = 12) {
    (self.axis, self.ticks, self.length, self.fontSize) = (axis, ticks, length, fontSize)
  }

  /// The distances of the ticks from the start of the side.
  var places: [Double] { axis.fractions(of: ticks.map(\.value)).map { $0 * length } }

  var labels: [String] { Tick.labels(ticks) }

  var widestLabel: Double { labels.map { $0.width(size: fontSize) }.max() ?? 0 }

  /// The labels and the title of a horizontal axis.
  func labels(under area: Area) -> [Markup] {
    let numbers = zip(labels, places).map { text, place in
      Markup.label(text, x: area.x + place, y: area.bottom + 18, size: fontSize)
    }
    guard !axis.label.isEmpty else { return numbers }
    return numbers + [.label(axis.label.fitted(to: length), x: area.x + length / 2, y: area.bottom + 40)]
  }

  /// The labels and the title of a vertical axis.
  func labels(beside area: Area) -> [Markup] {
    let numbers = zip(labels, places).map { text, place in
      Markup.label(text, x: area.x - 8, y: area.bottom - place + 4, anchor: "end", size: fontSize)
    }
    return numbers + title(at: 22, beside: area)
  }

  /// The title of a vertical axis at a horizontal position; nothing for an axis without a label.
  func title(at x: Double, beside area: Area) -> [Markup] {
    guard !axis.label.isEmpty else { return [] }
    let turned = "translate(\(x.markup) \((area.y + length / 2).markup)) rotate(-90)"
    let text = Markup(text: axis.label.fitted(to: length))
    return [Markup("text", ["transform": turned, "text-anchor": "middle", "class": "ink"], [text])]
  }
}
