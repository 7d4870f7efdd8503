/// Reduces the gradients of one loss for each row of a batch, shard by shard: [rows, learned numbers].
///
/// It takes one backward pass per shard, and forms every gradient of it. Values are combined in rising order,
/// so that bits do not depend on threads.
///
/// - Parameters:
///   - point: the parameters.
///   - batch: rows of data. Loss i may depend on row i alone.
///   - context: one row of context per row of data.
///   - loss: returns one number per row.
///   - body: gives a value of a shard's gradients and rows.
///   - combine: adds the value of a later shard.
/// - Precondition: `loss` returns one number per row; at least one row.
package func reduceRowGradients<Value: Sendable>(
  at point: Params, over batch: Tensor, given context: Tensor? = nil,
  loss: @Sendable (Params, Tensor, Tensor?) throws -> Tensor,
  _ body: @Sendable (_ gradients: Tensor, _ rows: Range<Int>) throws -> Value,
  combine: @Sendable (inout Value, Value) -> Void
) throws -> Value {
  require(batch.rows > 0, "gradients by row need at least one row")
  // A shard's gradients are at most four million numbers.
  let size = min(
    Parallelism.shardRows(of: batch.shape.sample), max(1, (1 << 22) / max(point.learnedCount, 1)))
  let shards = stride(from: 0, to: batch.rows, by: size).map { $0..<min($0 + size, batch.rows) }
  return try concurrentReduce(shards.count) { i -> Value in
    let rows = shards[i]
    return try body(gradients(batch[rows], context?[rows]), rows)
  } combine: {
    combine(&$0, $1)
  }

  @Sendable func gradients(_ rows: Tensor, _ context: Tensor?) throws -> Tensor {
    if rows.rows > 1 {
      do { return try together(rows, context) } catch is NoRowRule {}
    }
    return stack(
      try (0..<rows.rows).map { i in
        let one = (rows[i..<i + 1], context?[i..<i + 1])
        return try gradient(at: point) { try loss($0, one.0, one.1).sum() }.flattened()
      })
  }

  @Sendable func together(_ rows: Tensor, _ context: Tensor?) throws -> Tensor {
    let found = try point.rowSums(rows, context, loss).whole
    let parts = try zip(found, point.learnedLeaves).map { (sum, leaf) throws(NoRowRule) -> Tensor in
      let common = Tensors.sum(sum?.common, sum?.publicBlocks)
      let own = try LeafRowGradients(sum, common: common, of: leaf, rows: rows.rows)
      return own.multipliedOut().reshaped(to: [rows.rows, leaf.count])
    }
    return concatenate(parts, axis: 1)
  }
}
