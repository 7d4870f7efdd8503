import Files
import Tensors

/// A picture that can be written as SVG, or as PNG if it is made of pixels.
///
/// Pictures have their own background and follow the reader's light or dark setting. Their files refer to no
/// other files, so they open in any browser and can be pasted into a page. Equal pictures give equal text.
public protocol Picture: Sendable {
  /// The picture as an SVG document.
  var svg: String { get }
  /// The picture's pixels as a PNG file, or nil for a picture of lines and text.
  var png: [UInt8]? { get }
}

extension Picture {
  /// The default, nil: most pictures are made of lines and text.
  public var png: [UInt8]? { nil }

  /// Writes the picture to a file atomically: its pixels if the name ends in `.png`, SVG otherwise.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written, or if the name ends in `.png` and `png` is
  ///   nil.
  public func write(to path: String) throws(FlowError) {
    guard path.lowercased().hasSuffix(".png") else {
      return try FileBytes.write(Array(svg.utf8), to: path, called: "picture")
    }
    guard let png else {
      throw .inFile(
        path, "expected a name that ends in .svg: this picture is made of lines and text, not of pixels")
    }
    try FileBytes.write(png, to: path, called: "picture")
  }
}
