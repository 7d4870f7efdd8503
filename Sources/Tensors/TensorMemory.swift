import Synchronization

/// How much memory tensors take.
public enum TensorMemory {
  /// Counts what the current task's tensors take; tasks beside it count for themselves.
  @TaskLocal static var meter: MemoryMeter?
  private static let metersInUse = Atomic<Int>(0)

  /// The most bytes that tensors made by `body` took at once, on whatever threads, beyond those that were there before.
  public static func peak<Result>(
    during body: () throws -> Result
  ) rethrows -> (result: Result, bytes: Int) {
    let meter = MemoryMeter()
    metersInUse.add(1, ordering: .sequentiallyConsistent)
    defer { metersInUse.subtract(1, ordering: .sequentiallyConsistent) }
    let result = try $meter.withValue(meter) { try body() }
    return (result, meter.highest)
  }

  /// A block was taken or, for a negative number, given back.
  @inline(__always)
  static func count(_ bytes: Int) {
    if metersInUse.load(ordering: .relaxed) > 0 { meter?.count(bytes) }
  }
}

/// Bytes in use now, and the most so far.
final class MemoryMeter: Sendable {
  private let live = Atomic<Int>(0)
  private let most = Atomic<Int>(0)

  var highest: Int { most.load(ordering: .sequentiallyConsistent) }

  func count(_ bytes: Int) {
    let now = live.add(bytes, ordering: .relaxed).newValue
    if bytes > 0 { most.max(now, ordering: .relaxed) }
  }
}
