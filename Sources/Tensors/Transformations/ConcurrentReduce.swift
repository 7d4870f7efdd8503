import Dispatch
import Synchronization

/// `body(0)` combined with `body(1)`, then with `body(2)`, ..., on several threads where that is allowed; the first error in
/// order is thrown.
///
/// The order is that of a loop whatever the threads, and a result is let go once it has been combined: what waits is what
/// other threads have done ahead of the one whose turn it is.
func concurrentReduce<Value: Sendable>(
  _ count: Int, _ body: @Sendable (Int) throws -> Value, combine: @Sendable (inout Value, Value) -> Void
) throws -> Value {
  let limit = min(count, Parallelism.threads ?? ProcessorCount.value)
  if limit <= 1 || Transformation.isUnderWay {
    var total = try body(0)
    for i in 1..<max(count, 1) { combine(&total, try body(i)) }
    return total
  }
  let progress = Mutex(Reduction<Value>())
  let threads = Parallelism.threads
  DispatchQueue.concurrentPerform(iterations: limit) { worker in
    Parallelism.$threads.withValue(threads) {
      for i in stride(from: worker, to: count, by: limit) {
        let result = Result { try body(i) }
        progress.withLock { $0.take(result, at: i, combine) }
      }
    }
  }
  return try progress.withLock { try $0.get() }
}

/// The results combined so far, and those whose turn has not come.
private struct Reduction<Value: Sendable>: Sendable {
  private var sum: Value?
  private var failure: (any Error)?
  private var waiting: [Int: Result<Value, any Error>] = [:]
  private var next = 0

  mutating func take(
    _ result: Result<Value, any Error>, at position: Int, _ combine: (inout Value, Value) -> Void
  ) {
    waiting[position] = result
    while let ready = waiting.removeValue(forKey: next) {
      next += 1
      if failure != nil { continue }
      switch ready {
      case .failure(let error): (failure, sum) = (error, nil)
      case .success(let value): if sum == nil { sum = value } else { combine(&sum!, value) }
      }
    }
  }

  func get() throws -> Value {
    if let failure { throw failure }
    return sum!
  }
}
