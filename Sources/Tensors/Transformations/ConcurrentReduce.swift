import Dispatch

/// Combines `body(0)` with `body(1)`, then with `body(2)`, and so on, on several threads if allowed.
///
/// The result is that of a loop, whatever the number of threads. The first error in order is thrown. A result
/// is released once it has been combined. At most `ahead` results are under way or waiting at once: by
/// default one more than there are threads. This evens out threads of different speed and bounds the memory.
func concurrentReduce<Value: Sendable, Failure: Error>(
  _ count: Int, ahead: Int? = nil, _ body: @Sendable (Int) throws(Failure) -> Value,
  combine: @Sendable (inout Value, Value) -> Void
) throws(Failure) -> Value {
  let limit = min(count, Parallelism.threads ?? Processors.count)
  if limit <= 1 || Transformation.isUnderWay {
    var total = try body(0)
    for i in 1..<max(count, 1) { combine(&total, try body(i)) }
    return total
  }
  let progress = Guarded(Reduction<Value, Failure>(count: count))
  // Positions are handed out in order, so the lowest unfinished one always holds a permit.
  let permits = DispatchSemaphore(value: ahead ?? limit + 1)
  onThreads(limit) { _ in
    while true {
      permits.wait()
      guard let i = progress.withLock({ $0.begin() }) else { break }
      let combined: Int
      do {  // releases the result before its permit
        let result = Result { () throws(Failure) in try body(i) }
        combined = progress.withLock { $0.take(result, at: i, combine) }
      }
      for _ in 0..<combined { permits.signal() }
    }
    permits.signal()
  }
  return try progress.withLock { $0.result }.get()
}

/// The array of `body(0)`, ..., `body(count − 1)`, computed on several threads where that is allowed.
///
/// The first error in order is thrown.
func concurrentMap<Value: Sendable, Failure: Error>(
  _ count: Int, _ body: @Sendable (Int) throws(Failure) -> Value
) throws(Failure) -> [Value] {
  if count == 0 { return [] }
  return try concurrentReduce(count, ahead: count) { (i) throws(Failure) in
    [try body(i)]
  } combine: {
    $0.append(contentsOf: $1)
  }
}

/// The array of `body(0)`, ..., `body(count − 1)`, where each call can use several threads by itself.
///
/// Calls run at the same time as long as each has as many threads as it can use. `body` is told whether calls
/// run one after the other. The first error in order is thrown.
package func concurrentMap<Value: Sendable>(
  _ count: Int, threadsEach: Int, _ body: @Sendable (_ i: Int, _ isAlone: Bool) throws -> Value
) throws -> [Value] {
  let threads = Parallelism.threads ?? Processors.count
  let width = max(1, min(count, threads / max(threadsEach, 1)))
  return try Parallelism.$threads.withValue(width) {
    try concurrentMap(count) { (i) throws in
      try Parallelism.$threads.withValue(max(1, threads / width)) { try body(i, width == 1) }
    }
  }
}

/// The results combined so far, and those whose turn has not come.
private struct Reduction<Value: Sendable, Failure: Error>: Sendable {
  private let count: Int
  private var sum: Value?
  private var failure: Failure?
  private var waiting: [Int: Result<Value, Failure>] = [:]
  private var next = 0
  private var begun = 0

  init(count: Int) { self.count = count }

  /// The next position to work on, or nil when there is none or an error makes the rest needless.
  mutating func begin() -> Int? {
    if begun == count || failure != nil { return nil }
    defer { begun += 1 }
    return begun
  }

  /// Takes a result, combines all results whose turn it is, and returns their number.
  mutating func take(
    _ result: Result<Value, Failure>, at position: Int, _ combine: (inout Value, Value) -> Void
  ) -> Int {
    let first = next
    waiting[position] = result
    while let ready = waiting.removeValue(forKey: next) {
      next += 1
      if failure != nil { continue }
      switch ready {
      case .failure(let error): (failure, sum) = (error, nil)
      case .success(let value): if sum == nil { sum = value } else { combine(&sum!, value) }
      }
    }
    return next - first
  }

  /// The sum, or the first error.
  var result: Result<Value, Failure> { failure.map { .failure($0) } ?? .success(sum!) }
}
