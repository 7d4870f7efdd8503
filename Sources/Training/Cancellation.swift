/// Tells whether the task that asked for a fit is cancelled.
///
/// The threads that fit members of an ensemble do not run in that task, so they ask the caller.
enum Cancellation {
  @TaskLocal static var caller: (@Sendable () -> Bool)?

  /// Whether training is to end.
  static var isRequested: Bool { caller?() ?? Task.isCancelled }

  /// Calls the body with a form of `isRequested` that other threads may call, until the body returns.
  static func shared<Result>(
    _ body: (_ isRequested: @escaping @Sendable () -> Bool) throws -> Result
  ) rethrows -> Result {
    if let caller { return try body(caller) }
    return try withUnsafeCurrentTask { task in
      // Other threads may ask a task whether it is cancelled.
      nonisolated(unsafe) let task = task
      return try body { task?.isCancelled ?? false }
    }
  }
}
