import Tensors

/// The times of one step: common ones, or those of each row.
///
/// Times are kept in double precision. A step that follows another begins with the bits of its end.
package struct StepTimes: Sendable {
  /// Whether all rows take the same step.
  private let isCommon: Bool
  private let starts, lengths, ends: [Double]

  /// The common step number k of n equal ones from one time to another. No rounding adds up.
  package init(_ k: Int, of n: Int, from first: Double, to last: Double) {
    func time(_ k: Int) -> Double { k == n ? last : first + (last - first) * (Double(k) / Double(n)) }
    (isCommon, starts, ends) = (true, [time(k)], [time(k + 1)])
    lengths = [(last - first) / Double(n)]
  }

  /// The steps of rows, each with its own start, signed length and end.
  package init(starts: [Double], lengths: [Double], ends: [Double]) {
    (isCommon, self.starts, self.lengths, self.ends) = (false, starts, lengths, ends)
  }

  /// The time at a node between 0, the start, and 1, the end: a scalar or a column [rows, 1].
  package func time(at node: Double, _ dtype: DType) -> Tensor {
    if node == 0 { return tensor(starts, dtype) }
    if node == 1 { return tensor(ends, dtype) }
    return tensor(zip(starts, lengths).map { $0 + node * $1 }, dtype)
  }

  /// The signed length: a scalar or a column [rows, 1].
  package func length(_ dtype: DType) -> Tensor { tensor(lengths, dtype) }

  private func tensor(_ values: [Double], _ dtype: DType) -> Tensor {
    isCommon ? Tensor(values[0], dtype: dtype) : Tensor(values, shape: [values.count, 1], dtype: dtype)
  }
}
