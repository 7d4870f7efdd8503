#if MPI
  import CMPI
  import Dispatch
  import Tensors
  import Training

  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #else
    import Darwin
  #endif

  /// The processes that `mpirun` or `srun` has started, as ranks of a fit.
  ///
  /// ```swift
  /// let mpi = try MPIRanks.start()
  /// let fitted = try Ranks(mpi).run { try fit(flow, to: data, key: Key(0), batchSize: 1024) }
  /// if mpi.rank == 0 { print(fitted.bestRecord) }
  /// mpi.finish()
  /// ```
  ///
  /// Waiting for another rank has a time limit. The launcher ends all processes where one dies.
  public final class MPIRanks: RankGroup, @unchecked Sendable {
    /// The number of this process.
    public let rank: Int
    /// The number of processes.
    public let count: Int
    private let limit: Duration
    /// Messages that may not have left yet. Calls of MPI are made by one thread at a time.
    private let outgoing = Guarded<[Message]>([])

    private struct Message: @unchecked Sendable {
      let request: UnsafeMutableRawPointer
      let bytes: UnsafeMutableRawBufferPointer
    }

    private init(_ limit: Duration) {
      (rank, count, self.limit) = (Int(cmpi_rank()), Int(cmpi_count()), limit)
    }

    /// Starts MPI, once in a process.
    ///
    /// - Parameter limit: the time after which a rank no longer waits for another.
    /// - Throws: `FlowError.verification` where MPI does not start in this time, and where it does not know
    ///   of the processes that the launcher started with this one.
    public static func start(limit: Duration = .seconds(300)) throws(FlowError) -> MPIRanks {
      switch inTime(limit, { cmpi_start() }) {
      case nil:
        throw .verification(
          who: "MPI",
          message: "did not start in \(limit): a rank hangs, or runs another program")
      case -1: throw .verification(who: "MPI", message: "did not start")
      case -2: throw .verification(who: "MPI", message: "was built without support for threads")
      default: break
      }
      let ranks = MPIRanks(limit)
      guard ranks.count > 1 || launchedCount == 1 else {
        throw .verification(
          who: "MPI",
          message: "a launcher started \(launchedCount) processes, and each finds itself alone; take the "
            + "mpirun of the library of MPI that this program is built with, or srun --mpi=pmix")
      }
      return ranks
    }

    /// Makes a call that waits for other ranks; nil if it takes longer than a limit.
    private static func inTime(_ limit: Duration, _ call: @escaping @Sendable () -> Int32) -> Int32? {
      let (answer, isDone) = (Guarded<Int32>(0), DispatchSemaphore(value: 0))
      DispatchQueue(label: "MPI").async {
        let code = call()
        answer.withLock { $0 = code }
        isDone.signal()
      }
      guard isDone.wait(timeout: .now() + limit / .seconds(1)) == .success else { return nil }
      return answer.withLock { $0 }
    }

    /// Sends bytes to a rank.
    public func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) throws {
      try complete(leaving: 64 << 20)
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
      copy.copyMemory(from: bytes)
      guard let request = cmpi_send(copy.baseAddress, Int32(bytes.count), Int32(rank)) else {
        copy.deallocate()
        throw failure("MPI cannot send to rank \(rank)")
      }
      outgoing.withLock { $0.append(Message(request: request, bytes: copy)) }
    }

    /// Receives bytes from a rank.
    public func receive(into bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws {
      guard let request = cmpi_receive(bytes.baseAddress, Int32(bytes.count), Int32(rank)) else {
        throw failure("MPI cannot receive from rank \(rank)")
      }
      try wait("nothing came from rank \(rank)") { cmpi_test(request) }
    }

    /// Ends MPI, after the last message has left. It waits for the other ranks as long as the limit says.
    public func finish() {
      do { try complete(leaving: -1) } catch { return abort(code: 1) }
      _ = Self.inTime(limit) {
        cmpi_finish()
        return 0
      }
    }

    /// Ends the processes of all ranks with a code.
    public func abort(code: Int32) { cmpi_abort(code) }

    /// Waits until at most so many bytes have not left.
    private func complete(leaving most: Int) throws {
      try wait("a message did not leave") { [outgoing] in
        outgoing.withLock { messages in
          var (answer, kept): (Int32, [Message]) = (1, [])
          for message in messages {
            let isDone = cmpi_test(message.request)
            if isDone == 0 { kept.append(message) } else { message.bytes.deallocate() }
            if isDone < 0 { answer = -1 }
          }
          messages = kept
          if answer < 0 || kept.isEmpty { return answer }
          return kept.reduce(0) { $0 + $1.bytes.count } <= most ? 1 : 0
        }
      }
    }

    /// Asks until the answer is not 0: at first again and again, then with pauses.
    private func wait(_ what: String, _ answer: () -> Int32) throws {
      let start = ContinuousClock.now
      var tries = 0
      while true {
        let code = answer()
        if code > 0 { return }
        if code < 0 { throw failure("\(what): an error of MPI") }
        tries += 1
        if tries < 200 { sched_yield() } else { usleep(tries < 2_000 ? 20 : 500) }
        if tries % 64 == 0, ContinuousClock.now - start > limit { throw failure("\(what) in \(limit)") }
      }
    }

    private func failure(_ message: String) -> FlowError {
      .verification(who: "rank \(rank)", message: message)
    }
  }
#endif
