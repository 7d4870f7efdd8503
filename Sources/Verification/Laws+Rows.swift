import Bijections
import Tensors

extension Laws {
  /// A specimen of a layer that does not couple rows, at changed parameters.
  func uncoupledSpecimens() throws -> [Specimen] {
    try specimens(.float32)[2...2].filter { !$0.forward.traits.contains(.couplesRows) }
  }

  /// Some rows alone, and in batches of 2, 9, as many as channels, all and 130 rows, in both directions.
  func checkRowBits(_ specimen: Specimen) throws {
    for direction in try specimen.directions() {
      let (x, context) = (direction.inputs, direction.context)
      if x.rows == 0 { continue }
      let whole = try direction()
      // Some layers mix up rows and channels where there are as many.
      for size in [1, 2, 9, min(inputDim[-1], x.rows)] {
        for start in stride(from: 0, to: x.rows, by: max(size, x.rows / 6)) {
          let rows = start..<min(start + size, x.rows)
          let part = try direction.mapping.shaped(specimen.params, x[rows], context?[rows])
          for (a, b) in [(part.outputs, whole.outputs[rows]), (part.logDet, whole.logDet[rows])]
          where !a.isIdentical(to: b) {
            throw fail(
              .rowBits,
              "\(direction.label): rows \(rows) alone give \(a), in a batch of \(x.rows) rows \(b)")
          }
        }
      }
      let many = (0..<130).map { $0 % x.rows }
      let repeated = try direction.mapping.shaped(specimen.params, x.rows(many), context?.rows(many))
      guard repeated.outputs.isIdentical(to: whole.outputs.rows(many)),
        repeated.logDet.isIdentical(to: whole.logDet.rows(many))
      else { throw fail(.rowBits, "\(direction.label): 130 rows give other bits than \(x.rows)") }
    }
  }

  /// A NaN in a row, first or last, changes no other row, in both directions.
  func checkRowIndependence(_ specimen: Specimen) throws {
    for direction in try specimen.directions() where direction.inputs.rows > 1 {
      let x = direction.inputs
      let whole = try direction()
      let nan = Tensor.full(x[0..<1].shape, .nan, dtype: x.dtype)
      for rest in [1..<x.rows, 0..<x.rows - 1] {
        let spoiled = concatenate(rest.lowerBound == 0 ? [x[rest], nan] : [nan, x[rest]], axis: 0)
        let other = try direction.mapping.shaped(specimen.params, spoiled, direction.context)
        guard other.outputs[rest].isIdentical(to: whole.outputs[rest]),
          other.logDet[rest].isIdentical(to: whole.logDet[rest])
        else { throw fail(.rowIndependence, "a NaN in one row changed another, \(direction.label)") }
      }
    }
  }
}
