/// Two axes around a rectangle: where numbers land, and the drawing of ticks, labels and lines.
struct Frame {
  let x, y: Axis
  let area: Area

  private let xTicks, yTicks: [Tick]

  /// A frame whose rectangle has a size and stands under a heading, as far left as the labels of the y axis allow.
  init(x: Axis, y: Axis, width: Double, height: Double, top: Double) {
    (self.x, self.y) = (x, y)
    var count = max(2, Int(width / 75))
    var ticks = x.ticks(count: count)
    while count > 2, !Frame.fit(ticks, width: width) {
      count -= 1
      ticks = x.ticks(count: count)
    }
    xTicks = ticks
    yTicks = y.ticks(count: max(2, Int(height / 45)))
    let widest = Tick.labels(yTicks).map { $0.width() }.max() ?? 0
    area = Area(x: (y.label.isEmpty ? 12 : 34) + widest + 8, y: top, width: width, height: height)
  }

  /// The bottom of everything the frame draws.
  var bottom: Double { area.bottom + (x.label.isEmpty ? 30 : 50) }

  /// The points of the picture where pairs of numbers stand; nil for those outside or not finite.
  func points(_ xs: [Double], _ ys: [Double]) -> [(x: Double, y: Double)?] {
    zip(x.fractions(of: xs), y.fractions(of: ys)).map { across, up in
      across.isNaN || up.isNaN ? nil : (area.x + across * area.width, area.bottom - up * area.height)
    }
  }

  /// Lines across the rectangle at the ticks, to lie under the content.
  var grid: Markup {
    let vertical = places(xTicks, on: x).map { "M\(across($0)) \(area.y.markup)V\(area.bottom.markup)" }
    let horizontal = places(yTicks, on: y).map { "M\(area.x.markup) \(up($0))H\(area.right.markup)" }
    return Markup("path", ["class": "grid", "d": (vertical + horizontal).joined()])
  }

  /// The border, ticks and labels, to lie over the content.
  var border: [Markup] {
    let edge =
      "M\(area.x.markup) \(area.y.markup)H\(area.right.markup)V\(area.bottom.markup)H\(area.x.markup)Z"
    let marks =
      places(xTicks, on: x).map { "M\(across($0)) \(area.bottom.markup)v5" }
      + places(yTicks, on: y).map { "M\(area.x.markup) \(up($0))h-5" }
    var markup = [Markup("path", ["class": "axis", "d": edge + marks.joined()])]
    for (tick, place) in zip(Tick.labels(xTicks), places(xTicks, on: x)) {
      markup.append(.label(tick, x: area.x + place * area.width, y: area.bottom + 18))
    }
    for (tick, place) in zip(Tick.labels(yTicks), places(yTicks, on: y)) {
      markup.append(.label(tick, x: area.x - 8, y: area.bottom - place * area.height + 4, anchor: "end"))
    }
    if !x.label.isEmpty {
      markup.append(.label(x.label.fitted(to: area.width), x: area.x + area.width / 2, y: area.bottom + 40))
    }
    if !y.label.isEmpty {
      markup.append(.uprightLabel(y.label.fitted(to: area.height), x: 22, y: area.y + area.height / 2))
    }
    return markup
  }

  private func places(_ ticks: [Tick], on axis: Axis) -> [Double] { axis.fractions(of: ticks.map(\.value)) }
  private func across(_ fraction: Double) -> String { (area.x + fraction * area.width).markup }
  private func up(_ fraction: Double) -> String { (area.bottom - fraction * area.height).markup }

  /// Whether the labels of ticks stand side by side without touching.
  private static func fit(_ ticks: [Tick], width: Double) -> Bool {
    let widest = Tick.labels(ticks).map { $0.width() }.max() ?? 0
    return Double(ticks.count) * (widest + 10) <= width * 1.15
  }
}
