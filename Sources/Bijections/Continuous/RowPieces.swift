import Tensors

/// Applies a row-wise function to a few rows at a time, so that its intermediate results stay in the cache.
///
/// The bits of a row do not depend on its piece. Gradients of the other inputs are sums over the pieces, in
/// their order.
///
/// - Parameters:
///   - rows: tensors with one row per result.
///   - others: the other inputs.
///   - size: the number of rows in a piece.
///   - function: a pure function. Row i of its result depends on row i of `rows` alone.
func inPieces(
  _ rows: [Tensor], _ others: [Tensor], of size: Int,
  _ function: @escaping (_ rows: ArraySlice<Tensor>, _ others: ArraySlice<Tensor>) -> Tensor
) -> Tensor {
  let (count, split) = (rows[0].rows, rows.count)
  func whole(_ inputs: [Tensor]) -> Tensor { function(inputs[..<split], inputs[split...]) }
  if count <= size { return whole(rows + others) }
  let ranges = stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  func piece(_ inputs: [Tensor], _ range: Range<Int>) -> [Tensor] {
    inputs[..<split].map { $0[range] } + inputs[split...]
  }
  return withReverseRule(rows + others) { inputs in
    if !inputs.allSatisfy(\.isConcrete) { return [whole(inputs)] }
    return [concatenate(ranges.map { whole(piece(inputs, $0)) }, axis: 0)]
  } rule: { inputs, wanted in
    func recorded() -> [(values: [Tensor], pullback: ([Tensor?]) -> [Tensor?])] {
      ranges.map { range in pullbackOnce(at: piece(inputs, range), wanted: wanted) { [whole($0)] } }
    }
    var kept: [(values: [Tensor], pullback: ([Tensor?]) -> [Tensor?])]? = recorded()
    let values = concatenate(kept!.map { $0.values[0] }, axis: 0)
    return (
      [values],
      { cotangents in
        guard let g = cotangents[0] else { return inputs.map { _ in nil } }
        // A record serves one pass.
        let pieces = kept.take() ?? recorded()
        let parts = zip(pieces, ranges).map { piece, range in piece.pullback([g[range]]) }
        return inputs.indices.map { i in
          if !wanted[i] { return nil }
          let all = parts.compactMap { $0[i] }
          if all.isEmpty { return nil }
          return i < split ? concatenate(all, axis: 0) : all.dropFirst().reduce(all[0]) { $0 + $1 }
        }
      }
    )
  }[0]
}
