import Tensors

/// A point of the plane.
typealias Point = (x: Double, y: Double)

/// Points of the plane as two columns.
struct Coordinates {
  let x, y: [Double]

  /// Keeps every n-th point, so that at most `limit` remain.
  init(_ x: [Double], _ y: [Double], thinnedTo limit: Int) {
    let kept = stride(from: 0, to: x.count, by: max(1, (x.count + limit - 1) / limit))
    (self.x, self.y) = (kept.map { x[$0] }, kept.map { y[$0] })
  }

  /// Keeps every n-th row of a tensor of shape [count, 2].
  init(_ points: Tensor, thinnedTo limit: Int) {
    self.init(points.column(0), points.column(1), thinnedTo: limit)
  }
}

extension Tensor {
  /// The values in a column of a matrix.
  func column(_ index: Int) -> [Double] { sliced(axis: 1, index..<index + 1).doubles }
}

extension [Point] {
  /// The SVG path through the points.
  var path: String { isEmpty ? "" : "M" + map { "\($0.x.markup) \($0.y.markup)" }.joined(separator: "L") }
}
