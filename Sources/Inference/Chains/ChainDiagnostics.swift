import Tensors

/// R̂ and effective sample sizes of Markov chains, by ranks.
///
/// Chains are cut in halves, and each number is replaced by the normal quantile of its rank. R̂ is the
/// larger one of the numbers and of their distances from the median. The effective sample size is that of
/// means, with Geyer's initial monotone sequence.
///
/// Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, *Rank-normalization, folding, and localization*, arXiv
/// 1903.08008. Equal to ArviZ's `rhat` and bulk `ess` for finite draws.
public struct ChainDiagnostics: Sendable, Hashable {
  /// R̂ of each number of a sample; 1 for chains that agree, infinite where a draw is NaN or infinite.
  public let rHat: [Double]
  /// The effective sample size of each number of a sample.
  public let effectiveSampleSize: [Double]

  /// The largest R̂.
  public var largestRHat: Double { rHat.max() ?? 1 }
  /// The smallest effective sample size.
  public var smallestSampleSize: Double { effectiveSampleSize.min() ?? 0 }

  /// Computes both from chains.
  ///
  /// - Parameter draws: `[chains, draws, numbers]`.
  /// - Precondition: three axes, a chain at least, and four draws or more per chain.
  public init(_ draws: Tensor) {
    require(
      draws.rank == 3 && draws.shape[0] > 0 && draws.shape[1] >= 4,
      "chains have shape [chains, 4 draws or more, numbers], got \(draws.shape)")
    let (chains, length, width) = (draws.shape[0], draws.shape[1], draws.shape[2])
    let values = draws.doubles
    let half = length / 2
    var (rHat, sizes): ([Double], [Double]) = ([], [])
    for number in 0..<width {
      // An odd draw in the middle is left out.
      let halves = (0..<chains).flatMap { chain in
        [0, length - half].map { start in
          (start..<start + half).map { values[(chain * length + $0) * width + number] }
        }
      }
      guard halves.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
        rHat.append(.infinity)
        sizes.append(0)
        continue
      }
      let ranked = Self.rankNormalized(halves)
      let all = halves.joined().sorted()
      let median = (all[all.count / 2] + all[(all.count - 1) / 2]) / 2
      let folded = halves.map { $0.map { Swift.abs($0 - median) } }
      rHat.append(max(Self.rHat(ranked), Self.rHat(Self.rankNormalized(folded))))
      sizes.append(Self.sampleSize(ranked))
    }
    (self.rHat, effectiveSampleSize) = (rHat, sizes)
  }

  /// The normal quantiles Φ⁻¹((rank − 3/8) / (count + 1/4)); equal numbers share the mean of their ranks.
  private static func rankNormalized(_ chains: [[Double]]) -> [[Double]] {
    let all = Array(chains.joined())
    let order = all.indices.sorted { all[$0] < all[$1] }
    var (levels, start) = ([Double](repeating: 0, count: all.count), 0)
    while start < order.count {
      var end = start + 1
      while end < order.count, all[order[end]] == all[order[start]] { end += 1 }
      let rank = Double(start + 1 + end) / 2
      for i in order[start..<end] { levels[i] = (rank - 0.375) / (Double(all.count) + 0.25) }
      start = end
    }
    let scores = (2.0.squareRoot() * erfinv(2 * Tensor(levels, dtype: .float64) - 1)).doubles
    let length = chains[0].count
    return chains.indices.map { Array(scores[$0 * length..<($0 + 1) * length]) }
  }

  /// √(V / W), with W the mean variance within chains and V that of all draws.
  private static func rHat(_ chains: [[Double]]) -> Double {
    let (within, total) = variances(chains)
    return within > 0 ? (total / within).squareRoot() : .infinity
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  private static func variance(_ values: [Double]) -> Double {
    let center = mean(values)
    return values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(max(values.count - 1, 1))
  }

  private static func variances(_ chains: [[Double]]) -> (within: Double, total: Double) {
    let n = Double(chains[0].count)
    let within = mean(chains.map(variance))
    return (within, within * (n - 1) / n + variance(chains.map(mean)))
  }

  /// m n / τ with τ = −1 + 2 Σ P̂ₜ over Geyer's initial monotone sequence of pairs of autocorrelations.
  private static func sampleSize(_ chains: [[Double]]) -> Double {
    let (length, (within, total)) = (chains[0].count, variances(chains))
    let count = Double(chains.count * length)
    guard total > 0 else { return 0 }
    let centered = chains.map { chain in
      let center = mean(chain)
      return chain.map { $0 - center }
    }
    func autocorrelation(_ lag: Int) -> Double {
      var sum = 0.0
      for chain in centered {
        var own = 0.0
        for i in 0..<length - lag { own += chain[i] * chain[i + lag] }
        sum += own / Double(length)
      }
      return 1 - (within - sum / Double(centered.count)) / total
    }
    var (pairs, lag, even, odd) = ([1 + autocorrelation(1)], 1, 1.0, autocorrelation(1))
    while lag < length - 3, even + odd > 0 {
      (even, odd) = (autocorrelation(lag + 1), autocorrelation(lag + 2))
      if even + odd >= 0 { pairs.append(even + odd) }
      lag += 2
    }
    // Of the pair that ends the sequence, the first number still counts once.
    let rest = max(even, 0)
    var (sum, last) = (0.0, Double.infinity)
    for pair in pairs.prefix((lag - 1) / 2) {
      last = min(last, pair)
      sum += last
    }
    let least = 2.302585092994046 / log(Tensor(count, dtype: .float64)).item  // 1 / log₁₀ count
    let time = max(-1 + 2 * sum + rest, least)
    return count / time
  }
}
