import Files
import Tensors

/// A page of texts and pictures for a browser, in one HTML file: a notebook that a script fills.
///
/// ```swift
/// var page = Page("Parabola")
/// page.note("loss \(loss)")
/// page.show(fitted.learningCurve)
/// try page.write(to: "page.html")
/// ```
///
/// The file refers to no other files, and follows the reader's light or dark setting. It may be written after
/// every step: with `reload` an open page shows the newest file.
public struct Page: Sendable {
  private let title: String
  private let reload: Int?
  private var parts: [Markup] = []

  /// An empty page.
  ///
  /// - Parameter reload: the seconds after which a browser reads the file again; nil for never.
  /// - Precondition: `reload` is positive.
  public init(_ title: String, reload: Int? = nil) {
    require(
      reload.map { $0 > 0 } ?? true, "a page reloads after a positive number of seconds, got \(reload ?? 0)")
    (self.title, self.reload) = (title, reload)
  }

  /// Prints a text, and adds it with its line breaks and in a font of fixed width.
  public mutating func note(_ text: String) {
    print(text)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Markup(text: String($0)) }
    parts.append(Markup("pre", [:], Array(lines.map { [$0] }.joined(separator: [Markup("br")]))))
  }

  /// Adds a heading.
  public mutating func heading(_ text: String) { parts.append(Markup("h2", [:], [Markup(text: text)])) }

  /// Adds a picture.
  public mutating func show(_ picture: some Picture) {
    // As an image, so that the names in one picture do not meet those in another.
    let data = "data:image/svg+xml;base64," + base64(Array(picture.svg.utf8))
    parts.append(Markup("p", [:], [Markup("img", ["src": data, "style": "max-width:100%", "alt": ""])]))
  }

  /// The page as an HTML document.
  public var html: String {
    let style = "body{font:16px system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}"
    let head = [
      Markup("meta", ["charset": "utf-8"]),
      Markup("meta", ["name": "color-scheme", "content": "light dark"]),
      Markup("title", [:], [Markup(text: title)]), Markup("style", [:], [Markup(text: style)]),
    ]
    let refresh = reload.map { [Markup("meta", ["http-equiv": "refresh", "content": "\($0)"])] } ?? []
    let body = Markup("body", [:], [Markup("h1", [:], [Markup(text: title)])] + parts)
    return "<!DOCTYPE html>\n"
      + Markup("html", ["lang": "en"], [Markup("head", [:], head + refresh), body]).text
      + "\n"
  }

  /// Writes the page to a file atomically.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written.
  public func write(to path: String) throws(FlowError) {
    try FileBytes.write(Array(html.utf8), to: path, called: "page")
  }
}
