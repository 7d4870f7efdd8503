import Tensors

extension StaircaseDense: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    let g = activation.pullback(g[0], outputs[0])
    if g.shape[0] % rows != 0 { return nil }
    let (x, weight) = (inputs[0], inputs[1])
    let toX =
      wanted[0]
      ? staircase.gemm(false, true, g.rows, x.shape[1], g.shape[1], g.storage, weight.storage) : nil
    return [
      toX.map { .blocks($0) }, wanted[1] ? .products(RowProducts(x, g, rows: rows, mask: staircase)) : nil,
      wanted[2] ? .shared(g.summedUses(rows: rows)) : nil,
    ]
  }
}

extension Staircase: RowMask {
  package func isSame(as other: any RowMask) -> Bool {
    guard let other = other as? Staircase else { return false }
    return limit == other.limit && first == other.first
  }
  // The sum of the inputs that feed an output is a running sum.
  package func squares(_ h: Tensor) -> Tensor {
    let sums = concatenate(.zeros([h.rows, 1], dtype: h.dtype), h.cumulativeSum(axis: 1), axis: 1)
    return sums.gathered(Tensor(ints: limit.map(Int.init)), axis: 1)
  }
  package func product(_ h: Tensor, _ d: Tensor) -> Tensor {
    gemm(true, false, h.shape[1], d.shape[1], h.rows, h.storage, d.storage)
  }
  package func entries(_ ins: Int, _ outs: Int, _ dtype: DType) -> Tensor { mask(dtype: dtype) }
}
