import Dispatch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How work over a batch is spread. Results do not depend on it.
public enum Parallelism {
  /// The most threads that one call uses; nil: as many as there are cores. Set it for a scope:
  /// `Parallelism.$threads.withValue(1) { ... }`.
  @TaskLocal public static var threads: Int?

  /// The rows of one shard of small samples. Fixed, so that sums have one order on every machine.
  public static let shardRows = 128

  /// The rows of one shard: 128 for samples of up to 256 numbers, and for larger ones the largest power of two whose rows
  /// hold at most 32,768 numbers. A batch of a few images is work enough for several cores.
  public static func shardRows(of sample: Shape) -> Int {
    var rows = shardRows
    while rows > 1 && rows * sample.count > 256 * shardRows { rows /= 2 }
    return rows
  }
}

/// The mean over rows of a loss a row, and its gradient, which has the structure of the parameters' `learned`.
///
/// Rows are cut into shards of fixed size (128 rows of small samples), each with a forward and a backward pass of its own; shards run on all cores, and
/// their sums are added in rising order, so the bits are the same for any number of threads. Inside another
/// transformation the shards run one after the other.
///
/// - Parameters:
///   - point: the parameters.
///   - rows: how many rows there are.
///   - shardRows: the rows of one shard; nil: as many as for small samples.
///   - loss: gives one loss for each row of a range, `[range.count]`.
/// - Precondition: `loss` gives one number a row; at least one row.
public func valueAndGradient(
  at point: Params, rows: Int, shardRows: Int? = nil, _ loss: @Sendable (Params, Range<Int>) throws -> Tensor
) throws -> (value: Tensor, gradient: Params) {
  require(rows > 0, "valueAndGradient over rows needs at least one row")
  let size = shardRows ?? Parallelism.shardRows
  let shards = stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
  let shared = SharedValues()
  typealias Part = (value: Tensor, gradients: [Tensor?], shared: [SharedValues.Cotangent])
  var sums = try concurrentReduce(shards.count) { i -> Part in
    let result = try valueAndLeafGradients(
      at: point, sharing: shared,
      seed: { .full($0.shape, 1 / Double(rows), dtype: $0.dtype) },
      { params in
        let losses = try loss(params, shards[i])
        require(
          losses.shape == [shards[i].count],
          "the loss must give one number a row, shape [\(shards[i].count)], got \(losses.shape)")
        return losses
      })
    return (result.value.sum(), result.gradients, result.shared)
  } combine: { sum, part in
    sum.value = sum.value + part.value
    for i in sum.gradients.indices {
      sum.gradients[i] = Tensors.sum(sum.gradients[i], part.gradients[i])
    }
    SharedValues.add(part.shared, to: &sum.shared)
  }
  shared.pullBack(sums.shared, into: &sums.gradients)
  return (sums.value / Double(rows), point.learned.replacingLearned(with: point.filledUp(sums.gradients)))
}

/// The mean over a batch's rows of a loss a row, and its gradient: sharded as `valueAndGradient(at:rows:)`.
///
/// - Parameters:
///   - point: the parameters.
///   - batch: rows of data.
///   - context: rows of context beside them.
///   - loss: gives one loss a row, `[rows]`; row i may depend on row i alone.
/// - Precondition: `loss` gives one number a row; at least one row.
public func valueAndGradient(
  at point: Params, over batch: Tensor, given context: Tensor? = nil,
  _ loss: @Sendable (Params, Tensor, Tensor?) throws -> Tensor
) throws -> (value: Tensor, gradient: Params) {
  try valueAndGradient(
    at: point, rows: batch.rows, shardRows: Parallelism.shardRows(of: batch.shape.sample)
  ) { params, rows in
    try loss(params, batch[rows], context?[rows])
  }
}

/// The mean over rows of a loss a row, and its gradient.
///
/// - Precondition: `loss` gives one number a row; at least one row.
public func valueAndGradient(
  at point: Params, over batch: Tensor, _ loss: @Sendable (Params, Tensor) throws -> Tensor
) throws -> (value: Tensor, gradient: Params) {
  try valueAndGradient(at: point, over: batch, given: nil) { params, rows, _ in try loss(params, rows) }
}

/// A row-wise function of many rows, evaluated in pieces on all cores and put together again.
///
/// `body` is called with ranges of rows and gives tensors of as many rows. A row's bits do not depend on its piece, so
/// neither do the results on the pieces' size, which follows the number of threads. The pieces also bound the memory that
/// intermediate results take.
package func mapRows<Failure: Error>(
  _ rows: Int, of sample: Shape, _ body: @Sendable (Range<Int>) throws(Failure) -> [Tensor]
) throws(Failure) -> [Tensor] {
  let shard = Parallelism.shardRows(of: sample)
  // A second thread takes some ten microseconds to wake: as long as a few rows of few numbers take.
  let isSmall = rows < 2 * shard || rows * sample.count < 1024
  if isSmall || Transformation.isUnderWay { return try body(0..<rows) }
  let threads = Parallelism.threads ?? ProcessorCount.value
  let size = min(max((rows + threads - 1) / threads, shard), 4 * shard)
  let pieces = stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
  let results = try concurrentMap(pieces.count) { (i) throws(Failure) in try body(pieces[i]) }
  return results[0].indices.map { k in concatenate(results.map { $0[k] }, axis: 0) }
}

/// `body` of each leaf's position, on all cores where the leaves are large enough to be worth it.
package func mapLeaves<Value: Sendable>(_ leaves: [Tensor], _ body: @Sendable (Int) -> Value) -> [Value] {
  let isLarge = leaves.reduce(0) { $0 + $1.count } >= 1 << 18
  return isLarge ? concurrentMap(leaves.count, body) : leaves.indices.map(body)
}

/// `body(0)`, ..., `body(count − 1)`, on several threads where that is allowed; the first error in order is thrown.
func concurrentMap<Value: Sendable, Failure: Error>(
  _ count: Int, _ body: @Sendable (Int) throws(Failure) -> Value
) throws(Failure) -> [Value] {
  let limit = min(count, Parallelism.threads ?? ProcessorCount.value)
  if limit <= 1 || Transformation.isUnderWay {
    var values: [Value] = []
    for i in 0..<count { values.append(try body(i)) }
    return values
  }
  nonisolated(unsafe) let results = UnsafeMutableBufferPointer<Result<Value, Failure>?>.allocate(
    capacity: count)
  results.initialize(repeating: nil)
  defer {
    results.deinitialize()
    results.deallocate()
  }
  onThreads(limit) { worker in
    for i in stride(from: worker, to: count, by: limit) {
      do throws(Failure) { results[i] = .success(try body(i)) } catch { results[i] = .failure(error) }
    }
  }
  var values: [Value] = []
  values.reserveCapacity(count)
  for result in results { values.append(try result!.get()) }
  return values
}

/// Calls `body` with 0, ..., count − 1 at the same time, each with the current task's settings.
func onThreads(_ count: Int, _ body: @Sendable (Int) -> Void) {
  let (threads, meter) = (Parallelism.threads, TensorMemory.meter)
  DispatchQueue.concurrentPerform(iterations: count) { worker in
    Parallelism.$threads.withValue(threads) { TensorMemory.$meter.withValue(meter) { body(worker) } }
  }
}

enum ProcessorCount {
  static let value = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}
