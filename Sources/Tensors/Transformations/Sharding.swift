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

  /// The rows of one shard. Fixed, so that sums have one order on every machine.
  public static let shardRows = 128
}

/// The mean over rows of a loss a row, and its gradient, which has the structure of the parameters' `learned`.
///
/// Rows are cut into shards of 128, each with a forward and a backward pass of its own; shards run on all cores, and
/// their sums are added in rising order, so the bits are the same for any number of threads. Inside another
/// transformation the shards run one after the other.
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
  let rows = batch.rows
  require(rows > 0, "valueAndGradient(at:over:) needs at least one row")
  let shards = stride(from: 0, to: rows, by: Parallelism.shardRows).map {
    $0..<min($0 + Parallelism.shardRows, rows)
  }
  let results = try concurrentMap(shards.count) { i in
    try valueAndGradient(
      at: point,
      seed: { .full($0.shape, 1 / Double(rows), dtype: $0.dtype) },
      { params in
        let losses = try loss(params, batch[shards[i]], context?[shards[i]])
        require(
          losses.shape == [shards[i].count],
          "the loss must give one number a row, shape [\(shards[i].count)], got \(losses.shape)")
        return losses
      })
  }
  var total = results[0].value.sum()
  var gradient = results[0].gradient
  for result in results.dropFirst() {
    total = total + result.value.sum()
    gradient = try gradient.zip(with: result.gradient) { $0 + $1 }
  }
  return (total / Double(rows), gradient)
}

/// The mean over rows of a loss a row, and its gradient.
///
/// - Precondition: `loss` gives one number a row; at least one row.
public func valueAndGradient(
  at point: Params, over batch: Tensor, _ loss: @Sendable (Params, Tensor) throws -> Tensor
) throws -> (value: Tensor, gradient: Params) {
  try valueAndGradient(at: point, over: batch, given: nil) { params, rows, _ in try loss(params, rows) }
}

/// `body(0)`, ..., `body(count − 1)`, on several threads where that is allowed; the first error in order is thrown.
func concurrentMap<Result: Sendable>(_ count: Int, _ body: @Sendable (Int) throws -> Result) throws -> [Result] {
  let limit = min(count, Parallelism.threads ?? ProcessorCount.value)
  if limit <= 1 || Transformation.isUnderWay { return try (0..<count).map(body) }
  nonisolated(unsafe) let results = UnsafeMutableBufferPointer<Swift.Result<Result, any Error>?>.allocate(capacity: count)
  results.initialize(repeating: nil)
  defer {
    results.deinitialize()
    results.deallocate()
  }
  let threads = Parallelism.threads
  DispatchQueue.concurrentPerform(iterations: limit) { worker in
    Parallelism.$threads.withValue(threads) {
      for i in stride(from: worker, to: count, by: limit) {
        results[i] = Swift.Result { try body(i) }
      }
    }
  }
  return try results.map { try $0!.get() }
}

private enum ProcessorCount {
  static let value = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}
