import Files
import Tensors

/// A picture as a value: it says what to draw and knows its own SVG.
///
/// Pictures bring their own background and follow the reader's light or dark setting. They refer to nothing outside
/// themselves, so the file opens in any browser and may be pasted into a page. The same picture is the same text.
public protocol Picture: Sendable {
  /// The picture as an SVG document.
  var svg: String { get }
  /// The picture's pixels alone as a PNG file, or nil where it is made of lines and text.
  var png: [UInt8]? { get }
}

extension Picture {
  /// None: most pictures are made of lines and text.
  public var png: [UInt8]? { nil }

  /// Writes the picture to a file, whole or not at all: SVG, or for a name that ends in `.png` the pixels alone.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written, or for a `.png` of what is not made of pixels.
  public func write(to path: String) throws(FlowError) {
    guard path.lowercased().hasSuffix(".png") else {
      return try FileBytes.write(Array(svg.utf8), to: path, called: "picture")
    }
    guard let png else {
      throw .file(
        path: path, row: nil, column: nil,
        message: "expected a name that ends in .svg: this picture is made of lines and text, not of pixels")
    }
    try FileBytes.write(png, to: path, called: "picture")
  }
}
