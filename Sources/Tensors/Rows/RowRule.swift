/// A primitive with rules for gradients by row: the gradients of many losses, one for each row, in one pass.
///
/// Values are of two kinds. A value with a *block* for each row holds the blocks one after the other, and
/// block r acts on loss r alone; inputs and activations are of this kind. Any other value is shared by the
/// rows, such as a parameter. A primitive without these rules is differentiated for one row at a time.
package protocol RowRule: Primitive {
  /// The cotangents of the inputs, given those of results with a block for each row.
  ///
  /// Block r of a result may depend on block r of an input alone. Nil where that is not known. `rows` is at
  /// least 2.
  func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]?

  /// The cotangents [rows] + shape of shared inputs, given those of shared results. Nil: one row at a time.
  func fromShared(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands?

  /// The cotangents of shared inputs, given products for one of the results. Nil: by `fromShared`.
  func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]?

  /// Whether the results are linear in the wanted inputs, with coefficients that do not depend on rows.
  func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool
}

extension RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    nil
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    nil
  }
  package func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    nil
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { false }

  /// The ordinary cotangents, for primitives all of whose inputs have a block for each row.
  package func blockwise(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?] {
    let found = cotangent(g, inputs, outputs, wanted: wanted)
    return (0..<inputs.count).map { i in wanted[i] ? found.optional(i).map { .blocks($0) } : nil }
  }
}

/// A primitive whose results have a block for each row exactly if all inputs do.
package protocol RowwisePrimitive: RowRule {}

extension RowwisePrimitive {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    blockwise(g, inputs, outputs, wanted: wanted)
  }
}

/// A primitive that moves or joins entries along axes. Blocks stay whole if it leaves axis 0 alone.
protocol AxisPrimitive: RowRule {
  /// Whether the entries of axis 0 keep their places.
  func keepsBlocks(_ inputs: Operands) -> Bool
}

extension AxisPrimitive {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    keepsBlocks(inputs) && inputs[0].shape[0] % rows == 0
      ? blockwise(g, inputs, outputs, wanted: wanted) : nil
  }
}

/// The gradients of the rows' losses by one value.
package enum RowCotangent: Sendable {
  /// Those of a value with a block for each row, in the value's shape: block r is the gradient of loss r.
  case blocks(Tensor)
  /// Those of a shared value, [rows] + shape.
  case shared(Tensor)
  /// Those of a shared matrix as sums of outer products.
  case products(RowProducts)
  /// Those of a shared matrix as several such sums.
  case parts([RowProducts])
  /// Those of a shared value by a formula.
  case formula(any RowFormula)
}

/// A primitive has no rule for gradients by row. The rows are taken one at a time instead.
struct NoRowRule: Error {}
