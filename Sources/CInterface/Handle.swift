import FittedModels
import Synchronization

/// The value behind a pointer to `flows_model`.
///
/// It is never freed: closing empties it, so a call with a closed model reads valid memory and is refused.
final class Handle: Sendable {
  private let content: Mutex<OpenModel?>

  private init(_ model: OpenModel) { content = Mutex(model) }

  /// A pointer for the caller.
  static func pointer(to model: OpenModel) -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(Handle(model)).toOpaque())
  }

  /// The model of a caller's pointer; nil for a null pointer and a closed model.
  static func model(_ pointer: OpaquePointer?) -> OpenModel? {
    handle(pointer)?.content.withLock { $0 }
  }

  /// Closes a model. False if none is open.
  static func close(_ pointer: OpaquePointer?) -> Bool {
    handle(pointer)?.content.withLock { content in
      let wasOpen = content != nil
      content = nil
      return wasOpen
    } ?? false
  }

  private static func handle(_ pointer: OpaquePointer?) -> Handle? {
    // An object's address is a multiple of its word.
    guard let pointer, UInt(bitPattern: pointer) % UInt(MemoryLayout<UInt>.size) == 0 else { return nil }
    return Unmanaged<Handle>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
  }
}
