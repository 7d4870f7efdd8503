/// A rectangle with an axis along its lower and its left side.
struct Frame {
  let x, y: Ruler
  let area: Area

  init(x: Ruler, y: Ruler, area: Area) { (self.x, self.y, self.area) = (x, y, area) }

  /// Places a rectangle of a given size under a heading, as far left as the labels of the y axis allow.
  init(x: Axis, y: Axis, width: Double, height: Double, top: Double) {
    var count = max(2, Int(width / 75))
    var across = Ruler(x, ticks: x.ticks(count: count), length: width)
    while count > 2, Double(across.ticks.count) * (across.widestLabel + 10) > width * 1.15 {
      count -= 1
      across.ticks = x.ticks(count: count)
    }
    let up = Ruler(y, ticks: y.ticks(count: max(2, Int(height / 45))), length: height)
    let left = (y.label.isEmpty ? 12 : 34) + up.widestLabel + 8
    self.init(x: across, y: up, area: Area(x: left, y: top, width: width, height: height))
  }

  /// The bottom of the frame with its labels.
  var bottom: Double { area.bottom + (x.axis.label.isEmpty ? 30 : 50) }

  /// The positions of points in the picture; nil for points outside the frame.
  func points(_ xs: [Double], _ ys: [Double]) -> [Point?] {
    zip(x.axis.fractions(of: xs), y.axis.fractions(of: ys)).map { across, up in
      across.isNaN || up.isNaN ? nil : (area.x + across * area.width, area.bottom - up * area.height)
    }
  }

  /// Grid lines at the ticks, to be drawn below the content.
  var grid: Markup {
    let vertical = x.places.map { "M\(across($0)) \(area.y.markup)V\(area.bottom.markup)" }
    let horizontal = y.places.map { "M\(area.x.markup) \(up($0))H\(area.right.markup)" }
    return Markup("path", ["class": "grid", "d": (vertical + horizontal).joined()])
  }

  /// The edge and all labels, to be drawn above the content.
  var border: [Markup] { [edge] + x.labels(under: area) + y.labels(beside: area) }

  /// The outline with its tick marks.
  var edge: Markup {
    let marks =
      x.places.map { "M\(across($0)) \(area.bottom.markup)v5" }
      + y.places.map { "M\(area.x.markup) \(up($0))h-5" }
    return Markup("path", ["class": "axis", "d": area.outline + marks.joined()])
  }

  private func across(_ place: Double) -> String { (area.x + place).markup }
  private func up(_ place: Double) -> String { (area.bottom - place).markup }
}
