/// The sum of the gradients of many losses, each with a factor that depends on its norm.
package struct WeightedRowGradients: Sendable {
  /// Σ over rows of factor · gradient, for each learned leaf, without the common part.
  package var sums: [Tensor]
  /// The part of each gradient that depends on the parameters alone, and so is the same for every row.
  package let common: [Tensor]
  /// The norms of the gradients without the common part, [rows, units].
  package var norms: Tensor
  /// Whether some primitive had no rule for several rows, so that the rows were taken one at a time.
  package let isOneByOne: Bool
  /// The weighted sums of the gradients by values that shards share.
  fileprivate var shared: [SharedValues.Cotangent]

  /// Adds the gradients of further rows.
  fileprivate mutating func add(_ other: WeightedRowGradients) {
    for (i, sum) in other.sums.enumerated() { sums[i] = sums[i] + sum }
    norms = concatenate(norms, other.norms, axis: 0)
    SharedValues.add(other.shared, to: &shared)
  }

  /// Moves the sums by shared values on to the parameters.
  fileprivate mutating func pullBack(_ values: SharedValues?) {
    guard let values, !shared.isEmpty else { return }
    var gradients = sums.map(Optional.some)
    values.pullBack(shared, into: &gradients)
    sums = gradients.map { $0! }
    shared = []
  }
}

/// The weighted sum of the gradients of one loss for each row of a batch. No gradient is formed by itself.
///
/// One backward pass finds, for each use of a parameter, factors from which the norms and the weighted sums
/// follow. Of a matrix product these are the inputs and the cotangents, whose outer product is the gradient.
/// Values that are computed once for all shards get one weighted sum each, which is pulled back at the end.
/// Rows are cut into shards as in `valueAndGradient(at:over:)`, so that bits do not depend on threads. A
/// gradient without finite norm counts as zero.
///
/// - Parameters:
///   - norms: the parameters that share a norm.
///   - separatesCommon: whether norms and sums leave out the common part of all gradients. It depends on no
///     row, such as that of a log-determinant of parameters alone. It is found where it enters the losses by
///     sums alone.
///   - batch: rows of data. Loss i may depend on row i alone.
///   - factors: maps norms [rows, units] to factors of the same shape.
/// - Precondition: `loss` returns one number per row; at least one row.
package func weightedRowGradients(
  at point: Params, over batch: Tensor, given context: Tensor? = nil, norms: RowNorms = .ofAll,
  separatesCommon: Bool = true, factors: @Sendable (Tensor) -> Tensor,
  _ loss: @Sendable (Params, Tensor, Tensor?) throws -> Tensor
) throws -> WeightedRowGradients {
  require(batch.rows > 0, "gradients by row need at least one row")
  let (units, unitCount) = norms.units(of: point)
  let leaves = point.learnedLeaves
  let size = Parallelism.shardRows(of: batch.shape.sample)
  let shards = stride(from: 0, to: batch.rows, by: size).map { $0..<min($0 + size, batch.rows) }
  // The factors of a gradient's parts are the same only if there is one unit.
  let shared = unitCount == 1 ? SharedValues() : nil
  var total = try concurrentReduce(shards.count) { i -> WeightedRowGradients in
    do {
      return try shard(batch[shards[i]], context?[shards[i]])
    } catch let error as FlowError { throw error.withRow { $0 + shards[i].lowerBound } }
  } combine: { total, part in
    total.add(part)
  }
  total.pullBack(shared)
  return total

  @Sendable func shard(_ rows: Tensor, _ context: Tensor?) throws -> WeightedRowGradients {
    do {
      // Rules for several rows also serve a single one, so that all shards use the same.
      let isSingle = rows.rows == 1
      let (x, c) =
        isSingle
        ? (concatenate(rows, rows, axis: 0), context.map { concatenate($0, $0, axis: 0) })
        : (rows, context)
      return try gradients(x, c, counting: rows.rows)
    } catch is NoRowRule {
      func row(_ i: Int) throws -> WeightedRowGradients {
        try gradients(rows[i..<i + 1], context?[i..<i + 1], counting: 1)
      }
      var total = try row(0)
      for i in 1..<rows.rows { total.add(try row(i)) }
      return total
    }
  }

  @Sendable func gradients(_ rows: Tensor, _ context: Tensor?, counting count: Int) throws
    -> WeightedRowGradients
  {
    let isOneByOne = rows.rows == 1
    let pass = try point.rowSums(rows, context, sharing: isOneByOne ? nil : shared, loss)
    let found = pass.whole
    // Of a single row, values with a block for each row are not told from shared ones.
    let common = found.map { Tensors.sum($0?.common, $0?.publicBlocks) }
    func forms(_ sums: [RowSum?]) throws(NoRowRule) -> [LeafRowGradients] {
      try leaves.indices.map { (i) throws(NoRowRule) in
        try LeafRowGradients(
          sums[i], common: separatesCommon ? nil : common[i], of: leaves[i], rows: rows.rows)
      }
    }
    let whole = try forms(found)
    var own = pass.shared.isEmpty ? whole : try forms(pass.own)
    var outputs = try pass.shared.map { (value) throws(NoRowRule) in
      try value.outputs.map { (output) throws(NoRowRule) in
        try LeafRowGradients(output.sum, common: nil, of: output.value, rows: rows.rows)
      }
    }
    let sizes =
      unitCount == 1
      ? LeafRowGradients.norms(of: whole, rows: rows) : normsOfUnits(whole, rows.rows, rows.dtype)
    var weights = factors(sizes)
    let finite = square(sizes).sum(axis: 1) .< .infinity  // 0 for NaN
    if finite.min(axis: 0).item == 0 {
      own = own.map { $0.selecting(finite) }
      outputs = outputs.map { $0.map { $0.selecting(finite) } }
      weights = select(where: finite.expanded(axis: 1), weights, 0)
    }
    if count < rows.rows {
      weights = weights * Tensor.mask([rows.rows, 1], dtype: rows.dtype) { 0..<($0 < count ? 1 : 0) }
    }
    return WeightedRowGradients(
      sums: zip(own, units).map { leaf, units in
        leaf.sum(weightedBy: unitCount == 1 ? weights : weights.sliced(axis: 1, units))
      },
      common: zip(common, leaves).map { $0 ?? .zeros($1.shape, dtype: $1.dtype) },
      norms: sizes[0..<count], isOneByOne: isOneByOne,
      shared: zip(pass.shared, outputs).map { value, outputs in
        (value.place, Operands(outputs.map { $0.isZero ? nil : $0.sum(weightedBy: weights) }))
      })
  }

  /// The norms of each unit, [rows, units].
  @Sendable func normsOfUnits(_ gradients: [LeafRowGradients], _ rows: Int, _ dtype: DType) -> Tensor {
    var squares = Tensor.zeros([rows, unitCount], dtype: dtype)
    for (leaf, units) in zip(gradients, units) {
      guard let part = leaf.squares(summed: false) else { continue }
      let slice = Slice(axis: 1, start: units.lowerBound, count: units.count, step: 1)
      squares = squares + Spread(slice: slice, size: unitCount)(part)
    }
    return sqrt(squares)
  }
}
