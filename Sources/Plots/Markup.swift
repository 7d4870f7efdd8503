/// An XML element or text. Building one escapes all texts and attribute values.
struct Markup {
  let text: String

  /// An element `<name attributes>content</name>`.
  init(_ name: String, _ attributes: KeyValuePairs<String, any MarkupValue> = [:], _ content: [Markup] = []) {
    let opening = attributes.reduce("<" + name) { $0 + " \($1.key)=\"\($1.value.markup)\"" }
    text = content.isEmpty ? opening + "/>" : opening + ">" + content.map(\.text).joined() + "</\(name)>"
  }

  /// A text node.
  init(text: String) { self.text = text.markup }

  /// A text with the start, middle or end of its baseline at a point.
  static func label(
    _ text: String, x: Double, y: Double, anchor: String = "middle", size: Double = 12, style: String = "ink"
  ) -> Markup {
    Markup(
      "text", ["x": x, "y": y, "text-anchor": anchor, "font-size": size, "class": style], [Markup(text: text)]
    )
  }

  /// A line in the colour of a series; it is dashed once the colours repeat.
  static func stroke(_ path: String, of series: Int, width: Double = 1.8) -> Markup {
    let dashes = ["none", "6 3", "2 3", "8 3 2 3"][series / Document.seriesColors % 4]
    return Markup(
      "path",
      [
        "class": Document.seriesClass(series), "d": path, "fill": "none", "stroke": "currentColor",
        "stroke-width": width, "stroke-linejoin": "round", "stroke-linecap": "round",
        "stroke-dasharray": dashes,
      ])
  }

  /// Round dots in the colour of a series, drawn as lines of length 0 with round ends.
  static func dots(_ points: [Point], of series: Int, size: Double, opacity: Double) -> Markup {
    Markup(
      "path",
      [
        "class": Document.seriesClass(series), "fill": "none", "stroke": "currentColor",
        "stroke-width": size, "stroke-linecap": "round", "stroke-opacity": opacity,
        "d": points.map { "M\($0.x.markup) \($0.y.markup)h0" }.joined(),
      ])
  }

  /// An embedded PNG, stretched to a rectangle.
  static func image(_ png: [UInt8], in area: Area, pixelated: Bool) -> Markup {
    Markup(
      "image",
      [
        "x": area.x, "y": area.y, "width": area.width, "height": area.height, "preserveAspectRatio": "none",
        "style": "image-rendering:" + (pixelated ? "pixelated" : "auto"),
        "href": "data:image/png;base64," + base64(png),
      ])
  }
}

/// A rectangle in the picture's units; y grows downwards.
struct Area {
  var x, y, width, height: Double
  var right: Double { x + width }
  var bottom: Double { y + height }
  /// The closed SVG path around the rectangle.
  var outline: String { "M\(x.markup) \(y.markup)H\(right.markup)V\(bottom.markup)H\(x.markup)Z" }
}

/// A value that can be written as an XML attribute.
protocol MarkupValue {
  var markup: String { get }
}

extension String: MarkupValue {
  /// The text with XML's special characters escaped and characters that XML 1.0 forbids replaced.
  var markup: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += " "
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Double: MarkupValue {
  /// The number with at most two decimals, such as `12`, `0.5` and `-3.25`.
  var markup: String {
    guard isFinite, abs(self) < 1e9 else { return "0" }
    let hundredths = Int((self * 100).rounded())
    let digits = String(abs(hundredths) % 100 + 100).dropFirst()
    let fraction = digits == "00" ? "" : "." + (digits.hasSuffix("0") ? digits.dropLast() : digits)
    return (hundredths < 0 ? "-" : "") + String(abs(hundredths) / 100) + fraction
  }
}

extension Int: MarkupValue {
  var markup: String { String(self) }
}

/// Encodes bytes in base 64 (RFC 4648).
func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = (0..<3).map { start + $0 < bytes.count ? Int(bytes[start + $0]) : 0 }
    let bits = group[0] << 16 | group[1] << 8 | group[2]
    for digit in 0..<4 {
      let isPadding = start + digit > bytes.count
      text.append(isPadding ? UInt8(ascii: "=") : alphabet[bits >> (18 - 6 * digit) & 63])
    }
  }
  return String(decoding: text, as: UTF8.self)
}
