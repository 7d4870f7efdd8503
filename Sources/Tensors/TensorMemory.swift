import Synchronization

/// Measures the memory that tensors take.
public enum TensorMemory {
  /// Counts the memory of the current task's tensors. Other tasks have meters of their own.
  @TaskLocal static var meter: MemoryMeter?
  private static let metersInUse = Atomic<Int>(0)

  /// The largest number of bytes that tensors made by `body` occupied at once, on all threads together.
  public static func peak<Result>(during body: () throws -> Result) rethrows -> (result: Result, bytes: Int) {
    let meter = MemoryMeter()
    metersInUse.add(1, ordering: .sequentiallyConsistent)
    defer { metersInUse.subtract(1, ordering: .sequentiallyConsistent) }
    let result = try $meter.withValue(meter) { try body() }
    return (result, meter.highest)
  }

  /// Notes that a block was taken or, for a negative number, given back.
  @inline(__always)
  static func count(_ bytes: Int) {
    if metersInUse.load(ordering: .relaxed) > 0 { meter?.count(bytes) }
  }
}

/// The bytes in use, and the most that were in use at once.
final class MemoryMeter: Sendable {
  private let live = Atomic<Int>(0)
  private let most = Atomic<Int>(0)

  var highest: Int { most.load(ordering: .sequentiallyConsistent) }

  func count(_ bytes: Int) {
    let now = live.add(bytes, ordering: .relaxed).newValue
    if bytes > 0 { most.max(now, ordering: .relaxed) }
  }
}
