/// A drawing inside one frame, with a heading and a legend above it.
struct Chart {
  let title: String
  let x, y: Axis
  let width, height: Double
  /// The names in the legend; empty for no legend.
  let names: [String]

  /// The chart as an SVG document.
  ///
  /// - Parameters:
  ///   - mark: Draws a sample of a series beside its name in the legend.
  ///   - content: Draws the series inside the frame.
  func svg(
    mark: (_ series: Int, _ x: Double, _ y: Double) -> Markup, content: (Frame) -> [Markup]
  ) -> String {
    let legend = Legend(names: names, width: width)
    let heading = Document.headingHeight(title)
    let frame = Frame(x: x, y: y, width: width, height: height, top: heading + legend.height)
    let key = legend.markup(x: frame.area.x, y: heading, mark: mark)
    return Document(width: frame.area.right + 28, height: frame.bottom, title: title)
      .svg(key + [frame.grid] + content(frame) + frame.border)
  }
}
