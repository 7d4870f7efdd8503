import Synchronization

/// Measures the memory that tensors take.
public enum TensorMemory {
  /// Counts the memory of the current task's tensors. Other tasks have meters of their own.
  @TaskLocal static var meter: MemoryMeter?
  private static let metersInUse = Atomic<Int>(0)

  /// The largest number of bytes that tensors made by `body` occupied at once, on all threads together.
  public static func peak<Result>(during body: () throws -> Result) rethrows -> (result: Result, bytes: Int) {
    let (result, meter) = try metered(body)
    return (result, meter.highest)
  }

  /// The bytes of all tensors that `body` made, on all threads together.
  package static func made(during body: () throws -> Void) rethrows -> Int { try metered(body).meter.taken }

  private static func metered<Result>(
    _ body: () throws -> Result
  ) rethrows -> (result: Result, meter: MemoryMeter) {
    let meter = MemoryMeter()
    metersInUse.add(1, ordering: .sequentiallyConsistent)
    defer { metersInUse.subtract(1, ordering: .sequentiallyConsistent) }
    return (try $meter.withValue(meter) { try body() }, meter)
  }

  /// Notes that a block was taken or, for a negative number, given back.
  @inline(__always)
  static func count(_ bytes: Int) {
    if metersInUse.load(ordering: .relaxed) > 0 { meter?.count(bytes) }
  }
}

/// The bytes in use, the most that were in use at once, and all that were taken.
final class MemoryMeter: Sendable {
  private let live = Atomic<Int>(0)
  private let most = Atomic<Int>(0)
  private let total = Atomic<Int>(0)

  var highest: Int { most.load(ordering: .sequentiallyConsistent) }
  var taken: Int { total.load(ordering: .sequentiallyConsistent) }

  func count(_ bytes: Int) {
    let now = live.add(bytes, ordering: .relaxed).newValue
    if bytes < 0 { return }
    most.max(now, ordering: .relaxed)
    total.add(bytes, ordering: .relaxed)
  }
}
