extension Tensor: CustomStringConvertible {
  /// Nested brackets as NumPy prints them, then shape and dtype; of a scalar the number alone. Long axes are
  /// abridged.
  public var description: String {
    let values = doubles
    let strides = shape.strides
    let isAbridged = count > 1000 || count == 0

    func text(_ value: Double) -> String {
      dtype == .float32 ? "\(Float(value))" : dtype == .float64 ? "\(value)" : "\(Int(value))"
    }
    func nested(axis: Int, offset: Int) -> String {
      if axis == rank { return text(values[offset]) }
      let size = shape[axis]
      let shown: [Int?] =
        isAbridged && size > 6 ? [0, 1, 2, nil, size - 3, size - 2, size - 1] : Array(0..<size)
      let parts = shown.map {
        $0.map { nested(axis: axis + 1, offset: offset + $0 * strides[axis]) } ?? "..."
      }
      let separator = axis == rank - 1 ? ", " : ",\n" + String(repeating: " ", count: axis + 1)
      return "[" + parts.joined(separator: separator) + "]"
    }
    return nested(axis: 0, offset: 0) + (rank == 0 ? "" : "  \(shape) \(dtype)")
  }
}
