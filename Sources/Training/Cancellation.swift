/// Tells whether the task that asked for a fit is cancelled.
///
/// The threads that fit members of an ensemble do not run in that task, so they ask the caller.
enum Cancellation {
  /// A way to ask. It is a structure, since a task-local value that is an optional function crashes in code
  /// that Swift 6.3 has optimized.
  struct Caller: Sendable {
    let isCancelled: @Sendable () -> Bool
  }

  @TaskLocal static var caller: Caller?

  /// Whether training is to end.
  static var isRequested: Bool { caller?.isCancelled() ?? Task.isCancelled }

  /// Calls the body with a form of `isRequested` that other threads may call, until the body returns.
  static func shared<Result>(_ body: (_ caller: Caller) throws -> Result) rethrows -> Result {
    if let caller { return try body(caller) }
    return try withUnsafeCurrentTask { task in
      // Other threads may ask a task whether it is cancelled.
      nonisolated(unsafe) let task = task
      return try body(Caller { task?.isCancelled ?? false })
    }
  }
}
