import CKernels
import Synchronization

/// Keeps the memory of freed tensors by size for later ones. After warm-up a training step takes none for its
/// numbers from the system.
///
/// Sizes are rounded up to four steps per octave, from 64 bytes to 16 MiB. Larger blocks come from the system
/// each time. The pool never touches a value: whoever takes a block writes all of it.
///
/// Each thread has lists of its own, since its latest blocks are in its cache; with many threads, some share
/// theirs. If its list is empty, it takes a block of another. A list is behind a spin lock that is held for
/// a few instructions.
enum StoragePool {
  /// Lists by size, for `owners` threads one after the other. They are one value, since each look at a
  /// static one costs some nanoseconds.
  nonisolated(unsafe) private static let lists: (first: UnsafeMutablePointer<FreeList>, owners: Int) = {
    let owners = min(Processors.count, 16)
    let lists = UnsafeMutablePointer<FreeList>.allocate(capacity: owners * classCount)
    for i in 0..<owners * classCount { (lists + i).initialize(to: FreeList()) }
    return (lists, owners)
  }()

  private static let smallest = 64
  /// The size of a large page. Blocks of one and more begin with one, since many small pages take the system
  /// longer.
  private static let largePage = 1 << 21
  private static let octaves = 18
  private static let classCount = octaves * 4 + 1

  /// A block of at least `bytes` bytes of undefined content, aligned to 64.
  static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    let (index, size) = sizeClass(of: bytes)
    TensorMemory.count(bytes)
    if index < classCount, let block = pop(index) { return block }
    if size < largePage { return .allocate(byteCount: size, alignment: 64) }
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: largePage)
    ck_use_large_pages(block, size)
    return block
  }

  /// Takes a block back that was allocated for `bytes` bytes.
  static func release(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    let (index, _) = sizeClass(of: bytes)
    TensorMemory.count(-bytes)
    if index >= classCount { return block.deallocate() }
    list(index, 0).pointee.push(block)
  }

  private static func pop(_ index: Int) -> UnsafeMutableRawPointer? {
    if let block = list(index, 0).pointee.pop() { return block }
    for k in 1..<lists.owners {
      if let block = list(index, k).pointee.pop() { return block }
    }
    return nil
  }

  /// This thread's list of a size, or that of the k-th owner after it.
  private static func list(_ index: Int, _ k: Int) -> UnsafeMutablePointer<FreeList> {
    let (first, owners) = lists
    return first + (Int(ck_thread_number()) + k) % owners * classCount + index
  }

  /// Size class 4o + s holds blocks of 64 · 2ᵒ · (1 + s/4) bytes. Larger sizes are not rounded.
  static func sizeClass(of bytes: Int) -> (index: Int, size: Int) {
    if bytes <= smallest { return (0, smallest) }
    let octave = Int.bitWidth - 1 - ((bytes - 1) / smallest).leadingZeroBitCount
    let (base, quarter) = (smallest << octave, (smallest << octave) / 4)
    let step = (bytes - base + quarter - 1) / quarter
    let index = octave * 4 + step
    return index < classCount ? (index, base + step * quarter) : (index, bytes)
  }
}

/// Calls `body` with room for `count` elements of undefined content.
package func withScratch(_ count: Int, _ dtype: DType, _ body: (UnsafeMutableRawPointer) -> Void) {
  let bytes = count * dtype.byteCount
  let block = StoragePool.allocate(bytes)
  body(block)
  StoragePool.release(block, bytes)
}

/// A list of free blocks of one size, linked through their first word.
///
/// No method mutates the struct in Swift's sense: its state is atomic, so threads may call them at once.
private struct FreeList: ~Copyable {
  private let isLocked = Atomic<Bool>(false)
  private let head = Atomic<UnsafeMutableRawPointer?>(nil)
  /// Keeps each list on a cache line of its own.
  private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)

  func pop() -> UnsafeMutableRawPointer? {
    if head.load(ordering: .relaxed) == nil { return nil }
    lock()
    defer { unlock() }
    guard let block = head.load(ordering: .relaxed) else { return nil }
    head.store(block.load(as: UnsafeMutableRawPointer?.self), ordering: .relaxed)
    return block
  }

  func push(_ block: UnsafeMutableRawPointer) {
    lock()
    defer { unlock() }
    block.storeBytes(of: head.load(ordering: .relaxed), as: UnsafeMutableRawPointer?.self)
    head.store(block, ordering: .relaxed)
  }

  private func lock() {
    var attempts = 0
    while isLocked.exchange(true, ordering: .acquiring) {
      attempts += 1
      if attempts % 1000 == 0 { Processors.yield() }  // the holder may have lost its core
    }
  }

  private func unlock() { isLocked.store(false, ordering: .releasing) }
}
