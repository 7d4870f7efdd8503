import Files
import Tensors

/// A picture as a value: it says what to draw and knows its own SVG.
///
/// Pictures bring their own background and follow the reader's light or dark setting. They refer to nothing outside
/// themselves, so the file opens in any browser and may be pasted into a page. The same picture is the same text.
public protocol Picture: Sendable {
  /// The picture as an SVG document.
  var svg: String { get }
}

extension Picture {
  /// Writes the picture to a file, whole or not at all.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written.
  public func write(to path: String) throws(FlowError) {
    try FileBytes.write(Array(svg.utf8), to: path, called: "picture")
  }
}
