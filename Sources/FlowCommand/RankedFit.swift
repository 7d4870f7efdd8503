import Arguments
import FittedModels
import Flows
import MPI

/// `flow fit` in several processes that a launcher of MPI has started.
enum RankedFit {
  /// Whether there are several processes, which would otherwise do the same fit and write the same file.
  static var isAsked: Bool { launchedCount > 1 }

  /// Fits in all processes together. The first of them alone reports and warns.
  static func run(
    _ arguments: Arguments, _ dtype: DType, _ options: MappedFit.Options, _ notices: Notices
  ) async throws -> Report {
    let seconds = try arguments.number("rank-timeout", in: 1...1e6)
    #if MPI
      let mpi = try MPIRanks.start(limit: .seconds(seconds))
      let (ranks, isFirst) = (Ranks(mpi), mpi.rank == 0)
      do {
        let report = try await ranks.run {
          let file = try mapped(arguments, dtype)
          return try await MappedFit.run(file, arguments, options, isFirst ? notices : Notices())
        }
        mpi.finish()
        // The launcher ends all when it sees a code above 0, so rank 0 alone has one.
        if isFirst { return report }
        Arguments.end(code: 0)
      } catch {
        let code = Failure.code(of: error)
        if ranks.isBroken {
          // The others may hang. Rank 0 has the first word.
          if !isFirst { try? await Task.sleep(for: .seconds(2)) }
          Arguments.printError("error: \(Failure.text(of: error))")
          mpi.abort(code: code)
        }
        mpi.finish()
        if isFirst { throw error }
        Arguments.end(code: 0)
      }
    #else
      _ = seconds
      try refuse("flow is built without MPI: build it with --traits MPI")
    #endif
  }

  /// Throws in the first process, and ends the others.
  static func refuse(_ reason: String) throws -> Never {
    if launchedRank > 0 { Arguments.end(code: 0) }
    throw UsageError("a launcher of MPI has started \(launchedCount) processes, and \(reason)")
  }

  /// The file to fit to. A file that cannot be read says why.
  private static func mapped(_ arguments: Arguments, _ dtype: DType) throws -> MappedTable {
    if let mapped = MappedTable(arguments, dtype) { return mapped }
    for path in arguments.operands where path.lowercased().hasSuffix(".npy") { _ = try MappedArray(path) }
    throw UsageError(
      "ranks share the fit of one .npy file of float32 or float64 in C order alone, without options that "
        + "choose or treat columns")
  }
}
