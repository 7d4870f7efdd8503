/// The SVG root element of a picture, with its background, fonts and colours for light and dark settings.
struct Document {
  let width, height: Double
  let title: String

  /// The SVG document with a content.
  func svg(_ content: [Markup]) -> String {
    let sheet = Markup("rect", ["width": width, "height": height, "class": "panel"])
    let heading = Markup.label(
      title.fitted(to: width - 24, size: 15), x: width / 2, y: 25, size: 15, style: "ink title")
    let root = Markup(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 \(width.markup) \(height.markup)",
        "width": width, "height": height, "class": "plot", "role": "img", "font-size": 12,
        "font-family": "system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif",
      ],
      [Markup("title", [:], [Markup(text: title)]), Document.style, sheet]
        + (title.isEmpty ? [] : [heading]) + content)
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + root.text + "\n"
  }

  /// The height of the space for a title.
  static func headingHeight(_ title: String) -> Double { title.isEmpty ? 14 : 38 }

  /// The colours by class. Series colours are distinct in all common kinds of colour vision (after Okabe and
  /// Ito).
  private static let style: Markup = {
    let light = ["#0072b2", "#d55e00", "#008a63", "#a8498b", "#8a6d00", "#5b5f66"]
    let dark = ["#56b4e9", "#ff9d4d", "#3fd0a4", "#e08fc4", "#e8cf4a", "#b6bcc6"]
    func rules(panel: String, ink: String, faint: String, grid: String, series: [String]) -> String {
      ".plot .panel{fill:\(panel)}.plot .ink{fill:\(ink)}.plot .axis{stroke:\(faint);fill:none}"
        + ".plot .grid{stroke:\(grid)}" + series.enumerated().map { ".plot .s\($0){color:\($1)}" }.joined()
    }
    let css =
      ".plot .title{font-weight:600}"
      + rules(panel: "#fff", ink: "#1f2328", faint: "#6e7781", grid: "#e4e8ec", series: light)
      + "@media(prefers-color-scheme:dark){"
      + rules(panel: "#14181d", ink: "#e6edf3", faint: "#8b949e", grid: "#2b3138", series: dark) + "}"
    return Markup("style", [:], [Markup(text: css)])
  }()

  /// The number of colours for series.
  static let seriesColors = 6

  /// The class of a series, which sets its colour. Colours repeat after the last.
  static func seriesClass(_ index: Int) -> String { "s\(index % seriesColors)" }
}

extension String {
  /// An upper estimate of the width of this text; fonts differ.
  func width(size: Double = 12) -> Double { Double(unicodeScalars.count) * size * 0.6 }

  /// The text, cut with an ellipsis if it is wider than `width`.
  func fitted(to width: Double, size: Double = 12) -> String {
    let room = Int(max(width, 0) / (size * 0.6))
    return count <= room ? self : String(prefix(max(room - 1, 0))) + "…"
  }
}
