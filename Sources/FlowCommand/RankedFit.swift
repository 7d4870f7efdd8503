import Arguments
import FittedModels
import Flows
import MPI

/// `flow fit` in several processes that `mpirun` has started.
enum RankedFit {
  /// Runs a fit that the processes share, if there are several. Rank 0 alone reports and warns.
  static func shared(
    _ arguments: Arguments, _ notices: Notices, _ body: (Notices) async throws -> Report
  ) async throws -> Report {
    let seconds = try arguments.number("rank-timeout", in: 1...1e6)
    if launchedCount == 1 { return try await body(notices) }
    #if MPI
      let mpi = try MPIRanks.start(limit: .seconds(seconds))
      let ranks = Ranks(mpi)
      let isFirst = mpi.rank == 0
      do {
        let report = try await ranks.run { try await body(isFirst ? notices : Notices()) }
        mpi.finish()
        if isFirst { return report }
        Arguments.end(code: report.code)
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
        Arguments.end(code: code)
      }
    #else
      _ = seconds
      throw alone("is built without MPI: build it with --traits MPI")
    #endif
  }

  /// Throws where several processes would do the same fit, and write the same file.
  static func checkAlone() throws {
    if launchedCount > 1 {
      throw alone(
        "shares the fit of one .npy file of numbers alone, without options that choose or treat columns")
    }
  }

  /// The error of a fit that the processes cannot share, which the first of them reports.
  private static func alone(_ reason: String) -> UsageError {
    if launchedRank > 0 { Arguments.end(code: 2) }
    return UsageError("\(launchedCount) processes were started by a launcher of MPI, and flow fit \(reason)")
  }
}
