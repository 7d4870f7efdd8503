import Dispatch
import Synchronization

/// Threads that share a small piece of work with the caller.
///
/// To wake a sleeping thread takes some ten microseconds, as long as a tenth of a small training step. So a
/// worker looks for its next piece for some tenths of a millisecond before it sleeps. It lets other threads
/// run meanwhile. One caller has the workers at a time; others, and calls within calls, use Dispatch.
final class Workers: Sendable {
  /// The workers of this process.
  static let shared = Workers()

  private let isTaken = Atomic(false)
  /// At most 63: each holds one of some 250 threads that Dispatch has for its queues.
  private let all = (1..<max(2, min(Processors.count, 64))).map { _ in Worker() }

  /// Calls `body` with 0, ..., count − 1, on this thread and on others that are free.
  func perform(_ count: Int, _ body: @Sendable (Int) -> Void) {
    let helpers = min(count - 1, all.count)
    if helpers < 1 || isTaken.exchange(true, ordering: .acquiring) {
      return DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }
    defer { isTaken.store(false, ordering: .releasing) }
    let next = Atomic(0)
    func takeAll() {
      while true {
        let i = next.add(1, ordering: .relaxed).oldValue
        if i >= count { return }
        body(i)
      }
    }
    withoutActuallyEscaping(takeAll) { job in
      for worker in all[..<helpers] { worker.begin(job) }
      job()
      for worker in all[..<helpers] { worker.join() }
    }
  }
}

/// A thread that runs the jobs of one caller at a time.
private final class Worker: @unchecked Sendable {
  private enum State {
    /// The thread looks for a job, or it sleeps until one is offered.
    static let idle = 0, asleep = 1
    /// A job is there, it is under way, or it is under way and its caller sleeps until it ends.
    static let offered = 2, running = 3, awaited = 4
  }

  private let state = Atomic(State.idle)
  private let offer = DispatchSemaphore(value: 0)
  private let end = DispatchSemaphore(value: 0)
  /// Written by the caller before an offer and after the end.
  private var job: (() -> Void)?
  private var isStarted = false

  /// Offers a job.
  func begin(_ job: @escaping () -> Void) {
    self.job = job
    if state.exchange(State.offered, ordering: .acquiringAndReleasing) == State.asleep { offer.signal() }
    if isStarted { return }
    isStarted = true
    DispatchQueue(label: "flows.worker", qos: .userInitiated).async { self.work() }
  }

  /// Returns when the job is not under way any more. A job that has not begun is taken back.
  func join() {
    if !moves(from: State.offered, to: State.idle), !looks(until: { $0 < State.offered }),
      moves(from: State.running, to: State.awaited)
    {
      end.wait()
    }
    job = nil
  }

  private func work() {
    while true {
      if !looks(until: { $0 == State.offered }), moves(from: State.idle, to: State.asleep) { offer.wait() }
      guard moves(from: State.offered, to: State.running) else { continue }
      job?()
      if state.exchange(State.idle, ordering: .acquiringAndReleasing) == State.awaited { end.signal() }
    }
  }

  /// Looks for a state for a while, and tells whether it came.
  private func looks(until isThere: (Int) -> Bool) -> Bool {
    for attempt in 0..<600 {
      if isThere(state.load(ordering: .acquiring)) { return true }
      if attempt > 100 { Processors.yield() }
    }
    return false
  }

  private func moves(from old: Int, to new: Int) -> Bool {
    state.compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged
  }
}
