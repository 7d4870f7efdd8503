import Plots
import Randomness
import Tensors
import Training

/// The calibration of a posterior over data of the prior: ranks, expected coverage and TARP, with pictures.
///
/// ```swift
/// let calibration = try PosteriorCalibration(of: posterior, simulator: simulate, key: Key(3))
/// try calibration.coveragePicture.write(to: "coverage.svg")
/// print(calibration.deviations)
/// ```
///
/// Pairs of parameters and data are simulated from the prior. For each, the posterior given the data is
/// drawn from. All three tests have uniform levels under the true posterior. A posterior of several rounds
/// is one for the observed data alone, so this says little of it; ``LocalTwoSampleTest`` judges one row of
/// data.
///
/// Cost: `draws` draws for each of `pairs`; of a likelihood or a ratio, as many runs of chains.
public struct PosteriorCalibration: Sendable {
  /// The levels (rank + ½) / (draws + 1) of each true number among its draws, `[pairs, numbers]`.
  ///
  /// Talts et al. 2018, *Simulation-based calibration*, arXiv 1804.06788.
  public let ranks: Tensor
  /// The levels of expected coverage, `[pairs]`: see ``coverageLevels(truths:draws:)``.
  public let coverage: Tensor
  /// The levels of TARP, `[pairs]`: see ``tarpLevels(truths:draws:points:key:)``.
  public let tarp: Tensor

  /// Simulates pairs and draws from the posterior of each.
  ///
  /// - Parameters:
  ///   - posterior: the posterior.
  ///   - simulator: the simulator. Invalid simulations are left out.
  ///   - pairs: the number of pairs.
  ///   - draws: the number of draws per pair.
  ///   - chains: the settings of chains, for a likelihood or a ratio.
  ///   - key: the key of pairs, draws and points.
  /// - Throws: the errors of the simulator and of draws.
  /// - Precondition: positive counts.
  public init(
    of posterior: InferredPosterior, simulator: Simulator, pairs: Int = 200, draws: Int = 100,
    chains: EnsembleSlice = EnsembleSlice(), key: Key
  ) throws {
    require(pairs > 0 && draws > 0, "a calibration needs pairs and draws, got \(pairs) and \(draws)")
    let set = try SimulationSet(
      simulator, at: posterior.prior.sample(key.folded(in: 0), count: pairs), key: key.folded(in: 1))
    let numbers = posterior.prior.inputDim.count
    let truths = set.parameters.reshaped(to: [set.parameters.rows, numbers])
    var (ofDraws, ofTruths, all): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
    let ofEach = try posterior.sample(key.folded(in: 2), count: draws, givenEach: set.data, chains: chains)
    for i in 0..<truths.rows {
      let (data, own) = (set.data[i..<i + 1], ofEach[i])
      ofDraws.append(try posterior.logDensity(own, given: data))
      ofTruths.append(try posterior.logDensity(set.parameters[i..<i + 1], given: data))
      all.append(own.reshaped(to: [draws, numbers]))
    }
    let stacked = stack(all)
    let below = (stacked .< truths.expanded(axis: 1)).cast(to: .float64).sum(axis: 1)
    ranks = (below + 0.5) / Double(draws + 1)
    coverage = coverageLevels(truths: concatenate(ofTruths, axis: 0), draws: stack(ofDraws))
    tarp = tarpLevels(truths: truths, draws: stacked, key: key.folded(in: 3))
  }

  /// Kolmogorov's distances √n sup |F − F₀| of the levels from uniform ones: of each number's ranks, of
  /// coverage and of TARP. A calibrated posterior exceeds 1.63 in 1 of 100 samples.
  public var deviations: (ranks: [Double], coverage: Double, tarp: Double) {
    (
      (0..<ranks.shape[1]).map { Self.distance(ranks.sliced(axis: 1, $0..<$0 + 1).doubles) },
      Self.distance(coverage.doubles), Self.distance(tarp.doubles)
    )
  }

  /// √n sup |F − F₀| from the uniform distribution.
  static func distance(_ levels: [Double]) -> Double {
    let (sorted, n) = (levels.sorted(), Double(levels.count))
    let gaps = sorted.enumerated().map { max(Double($0 + 1) / n - $1, $1 - Double($0) / n) }
    return (gaps.max() ?? 0) * n.squareRoot()
  }

  /// The distribution functions of the ranks, one curve per number.
  public var ranksPicture: CalibrationPlot {
    CalibrationPlot(
      "Simulation-based calibration", pit: ranks, names: (0..<ranks.shape[1]).map { "number \($0 + 1)" })
  }

  /// The expected coverage of regions of highest density by their level.
  public var coveragePicture: CalibrationPlot { CalibrationPlot("Expected coverage", pit: coverage) }

  /// The expected coverage of balls around random points by their level.
  public var tarpPicture: CalibrationPlot { CalibrationPlot("TARP", pit: tarp) }
}
