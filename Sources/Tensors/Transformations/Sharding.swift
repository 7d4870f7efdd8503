/// Controls how work on a batch is spread over threads. Results do not depend on it.
public enum Parallelism {
  /// The largest number of threads that one call uses; nil stands for the number of cores.
  ///
  /// Set it for a scope: `Parallelism.$threads.withValue(1) { ... }`.
  @TaskLocal public static var threads: Int?

  /// The number of rows in a shard of small samples. It is fixed, so sums have one order on every machine.
  public static let shardRows = 128

  /// The number of rows in a shard of samples of a shape.
  ///
  /// It is 128 for vectors and 32 for samples with positions, such as images, whose networks work at each
  /// position. Where these hold over 32,768 numbers, it is the largest smaller power of two that does not.
  public static func shardRows(of sample: Shape) -> Int {
    var rows = sample.rank > 1 ? shardRows / 4 : shardRows
    while rows > 1 && rows * sample.count > 256 * shardRows { rows /= 2 }
    return rows
  }

  /// The number of rows in a shard of a gradient by so many parameters.
  ///
  /// Each shard has gradients of the parameters' size. With over 2¹⁹ parameters a shard of vectors has up to
  /// 256 rows and 2²⁰ numbers, so that sums over shards cost less. Its matrix products use the threads that
  /// have no shard.
  public static func shardRows(of sample: Shape, parameters: Int) -> Int {
    parameters > 1 << 19 ? rows(of: sample, most: 2 * shardRows) : shardRows(of: sample)
  }

  /// The rows of a shard, or more of them if the samples are vectors: `most`, or those of 2²⁰ numbers.
  fileprivate static func rows(of sample: Shape, most: Int) -> Int {
    let rows = shardRows(of: sample)
    return sample.rank > 1 ? rows : max(rows, min(most, (1 << 20) / max(sample.count, 1)))
  }
}

/// The mean over rows of a per-row loss, and its gradient, which has the structure of `point.learned`.
///
/// Rows are cut into shards of fixed size, each with a forward and a backward pass of its own. Shards run on
/// all cores, and their sums are added in rising order. So the bits are the same for any number of threads.
/// Inside another transformation the shards run one after the other. In a trace all rows are one shard.
///
/// - Parameters:
///   - point: the parameters.
///   - rows: the number of rows.
///   - shardRows: the number of rows in a shard; nil stands for that of small samples, 128.
///   - loss: returns one loss for each row of a range, `[range.count]`.
/// - Precondition: `loss` returns one number per row; at least one row.
public func valueAndGradient(
  at point: Params, rows: Int, shardRows: Int? = nil, _ loss: @Sendable (Params, Range<Int>) throws -> Tensor
) throws -> (value: Tensor, gradient: Params) {
  require(rows > 0, "valueAndGradient over rows needs at least one row")
  let size = point.isTraced ? rows : shardRows ?? Parallelism.shardRows
  let shards = stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
  let shared = SharedValues()
  @Sendable func part(_ i: Int) throws -> ShardPart {
    let result = try valueAndLeafGradients(
      at: point, sharing: shared, seed: { .full($0.shape, 1 / Double(rows), dtype: $0.dtype) },
      { params in
        let losses = try loss(params, shards[i])
        require(
          losses.shape == [shards[i].count],
          "the loss must give one number a row, shape [\(shards[i].count)], got \(losses.shape)")
        return losses
      })
    return ShardPart(value: result.value.sum(), gradients: result.gradients, shared: result.shared)
  }
  func mean(_ value: Tensor, _ gradients: [Tensor?]) -> (value: Tensor, gradient: Params) {
    (value / Double(rows), point.learned.replacingLearned(with: point.filledUp(gradients)))
  }
  if let group = CurrentShardGroup.value, !Transformation.isUnderWay {
    let total = try group.total(of: shards.count, at: point, shared, part)
    return mean(total.value, total.gradients)
  }
  var sums = try ShardPart.total(of: shards.count, point.learnedLeaves, part)
  shared.pullBack(sums.shared, into: &sums.gradients)
  return mean(sums.value, sums.gradients)
}

/// The mean over the rows of a batch of a per-row loss, and its gradient. Sharded as
/// `valueAndGradient(at:rows:)`.
///
/// - Parameters:
///   - point: the parameters.
///   - batch: rows of data.
///   - context: one row of context per row of data.
///   - loss: returns one loss per row, `[rows]`. Loss i may depend on row i alone.
/// - Precondition: `loss` returns one number per row; at least one row.
public func valueAndGradient(
  at point: Params, over batch: Tensor, given context: Tensor? = nil,
  _ loss: @Sendable (Params, Tensor, Tensor?) throws -> Tensor
) throws -> (value: Tensor, gradient: Params) {
  let size = Parallelism.shardRows(of: batch.shape.sample, parameters: point.learnedCount)
  return try valueAndGradient(at: point, rows: batch.rows, shardRows: size) { params, rows in
    do {
      return try loss(params, batch[rows], context?[rows])
    } catch let error as FlowError { throw error.withRow { $0 + rows.lowerBound } }
  }
}

/// The mean over the rows of a batch of a per-row loss, and its gradient.
///
/// - Precondition: `loss` returns one number per row; at least one row.
public func valueAndGradient(
  at point: Params, over batch: Tensor, _ loss: @Sendable (Params, Tensor) throws -> Tensor
) throws -> (value: Tensor, gradient: Params) {
  try valueAndGradient(at: point, over: batch, given: nil) { params, rows, _ in try loss(params, rows) }
}

/// Evaluates a row-wise function of many rows in pieces on all cores, and joins the results.
///
/// `body` is called with ranges of rows and returns tensors of as many rows. The size of the pieces follows
/// the number of threads. It does not change results, since the bits of a row do not depend on its piece.
/// Pieces also bound the memory of intermediate results. They share values of the parameters alone.
/// `parameters` is the number of learned parameters, which tells how large the work on a row is.
package func mapRows<Failure: Error>(
  _ rows: Int, of sample: Shape, parameters: @autoclosure () -> Int = 0,
  _ body: @Sendable (Range<Int>) throws(Failure) -> [Tensor]
) throws(Failure) -> [Tensor] {
  if Transformation.isUnderWay { return try body(0..<rows) }
  let shard = Parallelism.shardRows(of: sample)
  // Waking a second thread takes some ten microseconds, as long as a few rows of few numbers take.
  let isSmall = rows * sample.count < 1024 && rows * parameters() < 1 << 21
  if rows < 2 * shard || isSmall { return try body(0..<rows) }
  let threads = Parallelism.threads ?? Processors.count
  let most = max(4 * shard, Parallelism.rows(of: sample, most: 4 * Parallelism.shardRows))
  let size = min(max((rows + threads - 1) / threads, shard), most)
  let pieces = stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
  let shared = SharedValues()
  let results = try concurrentMap(pieces.count) { (i) throws(Failure) in
    try SharedValues.$ofPieces.withValue(shared) {
      Result { () throws(Failure) in try body(pieces[i]) }
    }.get()
  }
  return results[0].indices.map { k in concatenate(results.map { $0[k] }, axis: 0) }
}

/// The values of `body` at the position of each leaf, computed on all cores if the leaves are large.
package func mapLeaves<Value: Sendable>(_ leaves: [Tensor], _ body: @Sendable (Int) -> Value) -> [Value] {
  let threads = Parallelism.threads ?? Processors.count
  let total = leaves.reduce(0) { $0 + $1.count }
  // A run of neighbours is worth a task. There are up to eight runs for each thread.
  let least = max(1 << 13, total / (8 * threads))
  var (runs, size, left): ([Range<Int>], Int, Int) = ([0..<0], 0, total)
  for (i, leaf) in leaves.enumerated() {
    if size >= least, left >= least { (runs, size) = (runs + [i..<i], 0) }
    runs[runs.count - 1] = runs[runs.count - 1].lowerBound..<i + 1
    (size, left) = (size + leaf.count, left - leaf.count)
  }
  if runs.count == 1 || threads == 1 { return leaves.indices.map(body) }
  return concurrentMap(runs.count) { [runs] in runs[$0].map(body) }.flatMap { $0 }
}

/// Calls `body` with the position of a count and a range of at most `size` numbers below it, until all
/// numbers of all counts are covered. The calls run on all cores if there are several.
package func forPieces(
  _ counts: [Int], of size: Int, _ body: @Sendable (_ position: Int, _ range: Range<Int>) -> Void
) {
  let pieces = counts.enumerated().flatMap { i, count in
    stride(from: 0, to: count, by: size).map { (i, $0..<min($0 + size, count)) }
  }
  // A small piece costs less than to wake a thread.
  let groups = counts.reduce(0, +) < 2 * size ? 1 : pieces.count
  _ = concurrentMap(groups) { k in
    for (i, range) in groups == 1 ? pieces[...] : pieces[k...k] { body(i, range) }
  }
}

/// Calls `body` with 0, ..., count − 1 at the same time, each with the settings of the current task and its
/// share of the threads.
func onThreads(_ count: Int, _ body: @Sendable (Int) -> Void) {
  let threads = max(1, (Parallelism.threads ?? Processors.count) / count)
  let meter = TensorMemory.meter
  Workers.shared.perform(count) { worker in
    Parallelism.$threads.withValue(threads) { TensorMemory.$meter.withValue(meter) { body(worker) } }
  }
}
