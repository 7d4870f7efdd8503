/// An index of one axis of a tensor: an `Int`, which removes the axis, or a range of `Int`.
public protocol TensorIndex: Sendable {
  /// The elements of an axis of some size.
  func elements(of size: Int) -> Range<Int>
  /// Whether the axis is removed.
  static var removesAxis: Bool { get }
}

extension Int: TensorIndex {
  /// One element. −1 is the last.
  public func elements(of size: Int) -> Range<Int> {
    let index = self < 0 ? self + size : self
    return index..<index + 1
  }
  /// One element has no axis.
  public static var removesAxis: Bool { true }
}

extension TensorIndex where Self: RangeExpression<Int> {
  /// The elements of the range.
  public func elements(of size: Int) -> Range<Int> { relative(to: 0..<size) }
  /// A range keeps the axis.
  public static var removesAxis: Bool { false }
}

extension Range: TensorIndex where Bound == Int {}
extension ClosedRange: TensorIndex where Bound == Int {}
extension PartialRangeFrom: TensorIndex where Bound == Int {}
extension PartialRangeUpTo: TensorIndex where Bound == Int {}
extension PartialRangeThrough: TensorIndex where Bound == Int {}

extension Tensor {
  /// A part of the tensor, by an index of each of the first axes.
  ///
  /// `x[0..., 1]` is column 1 as NumPy's `x[:, 1]`, and `x[..<100, 2...]` is a block.
  ///
  /// - Precondition: indices within the shape.
  public subscript(_ first: any TensorIndex, _ others: any TensorIndex...) -> Tensor {
    let indices = [first] + others
    require(indices.count <= rank, "\(indices.count) indices of shape \(shape)")
    var (part, axis) = (self, 0)
    for index in indices {
      part = part.sliced(axis: axis, index.elements(of: part.shape[axis]))
      if type(of: index).removesAxis {
        part = part.reshaped(to: part.shape.removing(axis))
      } else {
        axis += 1
      }
    }
    return part
  }
}
