import Synchronization

/// How much memory tensors take.
public enum TensorMemory {
  private static let isCounting = Atomic<Bool>(false)
  private static let live = Atomic<Int>(0)
  private static let highest = Atomic<Int>(0)

  /// The most bytes that tensors made by `body` took at once, beyond those that were there before. For one caller at a time.
  public static func peak<Result>(
    during body: () throws -> Result
  ) rethrows -> (result: Result, bytes: Int) {
    live.store(0, ordering: .sequentiallyConsistent)
    highest.store(0, ordering: .sequentiallyConsistent)
    isCounting.store(true, ordering: .sequentiallyConsistent)
    defer { isCounting.store(false, ordering: .sequentiallyConsistent) }
    let result = try body()
    return (result, highest.load(ordering: .sequentiallyConsistent))
  }

  /// A block was taken or, for a negative number, given back.
  @inline(__always)
  static func count(_ bytes: Int) {
    if !isCounting.load(ordering: .relaxed) { return }
    let now = live.add(bytes, ordering: .relaxed).newValue
    if bytes > 0 { highest.max(now, ordering: .relaxed) }
  }
}
