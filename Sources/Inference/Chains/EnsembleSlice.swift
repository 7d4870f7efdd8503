import Randomness
import Tensors

/// A sampler of densities that are known up to a constant, by slices along differences of other chains.
///
/// ```swift
/// let chains = try EnsembleSlice()(Key(0), from: starts, count: 1_000) { x in
///   -0.5 * square(x).sumPerRow()
/// }
/// print(chains.draws.shape, chains.diagnostics.largestRHat)
/// ```
///
/// The chains form two halves that move in turn. A chain moves along the line through two chains of the other
/// half by slice sampling with stepping out and shrinkage, which leaves the density unchanged. So the steps
/// follow the density's scales and correlations. After that each chain may jump to a draw of a kernel density
/// estimate of the other half, by Metropolis' rule, which leads between modes that chains have found. A sweep
/// evaluates some 7 densities per chain, half of the chains at once.
///
/// The chains run in blocks, each twice as long as the block before. Draws come from the first block whose R̂
/// and effective sample size are good enough. Otherwise there is an error: no chain that has not converged is
/// returned in silence.
///
/// Karamanis & Beutler 2021, *Ensemble slice sampling*, arXiv 2002.06212, algorithm 3; Neal 2003, *Slice
/// sampling*, doi 10.1214/aos/1056562461.
public struct EnsembleSlice: Sendable, Hashable {
  /// The number of chains, even and at least 4.
  public var chains: Int
  /// The number of sweeps of the first block. One block of as many sweeps goes before it and is left out.
  public var sweeps: Int
  /// The most sweeps in all.
  public var mostSweeps: Int
  /// The largest R̂ that counts as converged.
  public var largestRHat: Double
  /// The smallest effective sample size that is enough.
  public var smallestSampleSize: Double

  /// A sampler.
  ///
  /// - Precondition: an even number of chains, at least 4; sweeps from 8 on; no fewer sweeps in all than two
  ///   blocks.
  public init(
    chains: Int = 64, sweeps: Int = 200, mostSweeps: Int = 10_000, largestRHat: Double = 1.02,
    smallestSampleSize: Double = 400
  ) {
    require(
      chains >= 4 && chains % 2 == 0 && sweeps >= 8 && mostSweeps >= 2 * sweeps,
      "EnsembleSlice: an even number of chains from 4 on, 8 sweeps or more, and as many in all as two "
        + "blocks, got \(chains), \(sweeps) and \(mostSweeps)")
    (self.chains, self.sweeps, self.mostSweeps) = (chains, sweeps, mostSweeps)
    (self.largestRHat, self.smallestSampleSize) = (largestRHat, smallestSampleSize)
  }

  /// Draws, and the diagnostics of the chains that they were taken from.
  public struct Draws: Sendable {
    /// The draws, `[count, numbers]`, evenly spaced in the last block.
    public let draws: Tensor
    /// R̂ and effective sample sizes of the last block.
    public let diagnostics: ChainDiagnostics
    /// The number of sweeps in all.
    public let sweeps: Int
    /// Whether R̂ and the effective sample size are good enough.
    public let hasConverged: Bool
  }

  /// Runs the chains until they have converged.
  ///
  /// - Parameters:
  ///   - key: the key of all random numbers.
  ///   - starts: the first positions, `[chains, numbers]`, of positive density, no two alike.
  ///   - count: the number of draws.
  ///   - logDensity: the log-density up to a constant, one number per row; −∞ outside the support.
  /// - Throws: `verification` if the chains have not converged after `mostSweeps`; `mismatch` for starts of
  ///   another shape; `notFinite` for a start whose log-density is not finite; the errors of the density.
  /// - Precondition: a positive count.
  public func callAsFunction(
    _ key: Key, from starts: Tensor, count: Int, logDensity: (Tensor) throws -> Tensor
  ) throws -> Draws {
    let result = try run(key, from: starts, count: count, logDensity: logDensity)
    if result.hasConverged { return result }
    throw FlowError.verification(
      who: "EnsembleSlice",
      message: "the chains have not converged after \(result.sweeps) sweeps: R-hat is "
        + "\(result.diagnostics.largestRHat), expected at most \(largestRHat); the effective sample size is "
        + "\(result.diagnostics.smallestSampleSize), expected at least \(smallestSampleSize); allow more "
        + "sweeps, or check the density")
  }

  /// Runs the chains until they have converged or all sweeps are done.
  func run(
    _ key: Key, from starts: Tensor, count: Int, logDensity: (Tensor) throws -> Tensor
  ) throws -> Draws {
    require(count > 0, "EnsembleSlice needs a positive count, got \(count)")
    guard starts.rank == 2, starts.rows == chains else {
      throw FlowError.mismatch(
        who: "EnsembleSlice", what: "starts", expected: "[\(chains), numbers]", got: "\(starts.shape)")
    }
    var ensemble = try Ensemble(starts.cast(to: .float64), logDensity)
    let width = starts.shape[1]
    var (done, length) = (0, sweeps)
    var block = try ensemble.run(key, sweeps: done..<length, logDensity)
    done = length
    while true {
      length = min(length, max(mostSweeps - done, 8))
      block = try ensemble.run(key, sweeps: done..<done + length, logDensity)
      done += length
      let draws = Tensor(block, shape: [length, chains, width], dtype: .float64)
      let diagnostics = ChainDiagnostics(draws.swappingAxes(0, 1))
      let isEnough =
        diagnostics.largestRHat <= largestRHat && diagnostics.smallestSampleSize >= smallestSampleSize
        && length * chains >= count
      if isEnough || done >= mostSweeps {
        let states = length * chains
        let rows = (0..<count).map { $0 * states / count }
        return Draws(
          draws: draws.reshaped(to: [states, width]).rows(rows), diagnostics: diagnostics, sweeps: done,
          hasConverged: isEnough)
      }
      length *= 2
    }
  }
}
