/// The gradients of the rows' losses by one value in a form whose norms cost less than the gradients.
package protocol RowFormula: Sendable {
  /// Adds ‖gradient + common‖² to a number for each row. Returns false where there is no formula for it.
  func addSquares(common: Tensor?, to totals: inout [Double]) -> Bool
  /// Σ over rows of the gradients, with factors [rows, 1], in the value's shape.
  func sum(weightedBy factors: Tensor) -> Tensor
  /// The gradients themselves, [rows] + the value's shape.
  func multipliedOut() -> Tensor
  /// The gradients with zeros in the rows whose mask is 0, whatever they hold.
  func selecting(_ rows: Tensor) -> any RowFormula
}
