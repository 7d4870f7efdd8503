import Dispatch
import Synchronization

/// `body(0)` combined with `body(1)`, then with `body(2)`, ..., on several threads where that is allowed; the first error in
/// order is thrown.
///
/// The order is that of a loop whatever the threads, and a result is let go once it has been combined. One more result than
/// threads exists at most, beside the sum: a thread ahead of the one whose turn it is may begin one more, and then waits.
/// That evens out threads of unlike speed and bounds the memory.
func concurrentReduce<Value: Sendable>(
  _ count: Int, _ body: @Sendable (Int) throws -> Value, combine: @Sendable (inout Value, Value) -> Void
) throws -> Value {
  let limit = min(count, Parallelism.threads ?? ProcessorCount.value)
  if limit <= 1 || Transformation.isUnderWay {
    var total = try body(0)
    for i in 1..<max(count, 1) { combine(&total, try body(i)) }
    return total
  }
  let progress = Mutex(Reduction<Value>(count: count))
  // A permit is a result under way or waiting. Positions are handed out in order, so the lowest one always has a permit.
  let permits = DispatchSemaphore(value: limit + 1)
  onThreads(limit) { _ in
    while true {
      permits.wait()
      guard let i = progress.withLock({ $0.begin() }) else { break }
      let combined: Int
      do {  // the result is let go before its permit
        let result = Result { try body(i) }
        combined = progress.withLock { $0.take(result, at: i, combine) }
      }
      for _ in 0..<combined { permits.signal() }
    }
    permits.signal()
  }
  return try progress.withLock { try $0.get() }
}

/// The results combined so far, and those whose turn has not come.
private struct Reduction<Value: Sendable>: Sendable {
  private let count: Int
  private var sum: Value?
  private var failure: (any Error)?
  private var waiting: [Int: Result<Value, any Error>] = [:]
  private var next = 0
  private var begun = 0

  init(count: Int) { self.count = count }

  /// The next position to work on; nil when there is none, or an error makes the rest needless.
  mutating func begin() -> Int? {
    if begun == count || failure != nil { return nil }
    defer { begun += 1 }
    return begun
  }

  /// Takes a result, combines those whose turn it is and says how many.
  mutating func take(
    _ result: Result<Value, any Error>, at position: Int, _ combine: (inout Value, Value) -> Void
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

  func get() throws -> Value {
    if let failure { throw failure }
    return sum!
  }
}
