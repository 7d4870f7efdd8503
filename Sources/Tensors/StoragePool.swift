import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory of freed tensors, kept by size for the next ones: after warm-up a training step asks the system for nothing.
///
/// Sizes are rounded up to four steps an octave, from 64 bytes to 16 MiB; larger blocks come from the system each time. A
/// list a size, each behind a spin lock that is held for a few instructions. It never touches a value: whoever takes a
/// block writes all of it.
enum StoragePool {
  nonisolated(unsafe) private static let lists: UnsafeMutablePointer<FreeList> = {
    let lists = UnsafeMutablePointer<FreeList>.allocate(capacity: classCount)
    for i in 0..<classCount { (lists + i).initialize(to: FreeList()) }
    return lists
  }()

  private static let smallest = 64
  private static let octaves = 18
  private static let classCount = octaves * 4 + 1

  /// A block of at least `bytes` bytes of undefined content, aligned to 64.
  static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    let (index, size) = sizeClass(of: bytes)
    TensorMemory.count(bytes)
    if index < classCount, let block = lists[index].pop() { return block }
    return .allocate(byteCount: size, alignment: 64)
  }

  /// Takes a block back that was allocated for `bytes` bytes.
  static func release(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    let (index, _) = sizeClass(of: bytes)
    TensorMemory.count(-bytes)
    if index < classCount { lists[index].push(block) } else { block.deallocate() }
  }

  /// Calls `body` with room for `count` elements of undefined content.
  static func withScratch<Element>(_ count: Int, _ body: (UnsafeMutablePointer<Element>) -> Void) {
    let bytes = count * MemoryLayout<Element>.stride
    let block = allocate(bytes)
    body(block.assumingMemoryBound(to: Element.self))
    release(block, bytes)
  }

  /// Class 4o + s holds blocks of 64 · 2ᵒ · (1 + s/4) bytes; beyond the last class the size is kept.
  static func sizeClass(of bytes: Int) -> (index: Int, size: Int) {
    if bytes <= smallest { return (0, smallest) }
    let octave = Int.bitWidth - 1 - ((bytes - 1) / smallest).leadingZeroBitCount
    let (base, quarter) = (smallest << octave, (smallest << octave) / 4)
    let step = (bytes - base + quarter - 1) / quarter
    let index = octave * 4 + step
    return index < classCount ? (index, base + step * quarter) : (index, bytes)
  }
}

/// Blocks of one size, linked through their first word.
private struct FreeList: ~Copyable {
  private let isLocked = Atomic<Bool>(false)
  private var head: UnsafeMutableRawPointer?
  /// Keeps each list on a cache line of its own.
  private var padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)

  mutating func pop() -> UnsafeMutableRawPointer? {
    lock()
    defer { unlock() }
    guard let block = head else { return nil }
    head = block.load(as: UnsafeMutableRawPointer?.self)
    return block
  }

  mutating func push(_ block: UnsafeMutableRawPointer) {
    lock()
    defer { unlock() }
    block.storeBytes(of: head, as: UnsafeMutableRawPointer?.self)
    head = block
  }

  private func lock() {
    var attempts = 0
    while isLocked.exchange(true, ordering: .acquiring) {
      attempts += 1
      if attempts % 1000 == 0 { sched_yield() }  // the holder may have lost its core
    }
  }

  private func unlock() { isLocked.store(false, ordering: .releasing) }
}
