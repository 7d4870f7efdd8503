/// A lower and an upper bound of ε or δ.
public struct PrivacyBounds: Sendable, Hashable {
  /// No mechanism analysis can claim less.
  public let lower: Double
  /// This much holds for certain.
  public let upper: Double

  /// The bounds, with a second upper bound.
  func capped(at other: Double) -> PrivacyBounds {
    PrivacyBounds(lower: lower, upper: min(upper, other))
  }
}

/// The accountant of privacy loss distributions, with certified bounds on both sides.
///
/// The losses of single steps are put on a grid: once so that they bound the true ones from above, once from
/// below (`GridLosses`). They are tilted (`Tilt`) and composed by Fourier transforms (`ComposedLosses`). Both
/// directions of adjacency are computed, and the larger bounds count. All errors of rounding, cutting and
/// wrapping around are in the bounds. The gap is about 100 T/n² of ε for T steps and n points. Where a grid
/// is too coarse, the bound of `RDPAccountant` caps the upper one.
public struct PLDAccountant: PrivacyAccountant {
  /// The number of grid points of the composed losses, a power of two.
  public let points: Int

  /// The least δ that can be asked for.
  public static let leastDelta = 1e-100

  /// Makes an accountant. It takes four pairs of transforms of `points` points for each different mechanism.
  ///
  /// - Precondition: `points` is a power of two from 2⁸ to 2²⁴.
  public init(points: Int = 1 << 17) {
    require(
      points.nonzeroBitCount == 1 && (1 << 8...1 << 24).contains(points),
      "PLDAccountant: expected a power of two from 2^8 to 2^24, got \(points)")
    self.points = points
  }

  /// Bounds of ε at a δ. They are 0 if δ alone covers the loss.
  ///
  /// - Throws: `PrivacyError.outOfRange` for a δ below 10⁻¹⁰⁰ or not below 1.
  public func epsilon(of ledger: PrivacyLedger, delta: Double) throws(PrivacyError) -> PrivacyBounds {
    try checkDelta(delta, "PLDAccountant", from: Self.leastDelta)
    let rounding = Self.roundingOfLosses(ledger)
    let bounds = bounds(of: ledger.merged, .delta(delta)) {
      max(0, $0.epsilon(delta, sign: $1) + $1 * rounding)
    }
    return bounds.capped(at: try RDPAccountant().safeEpsilon(of: ledger, delta: delta))
  }

  public func safeEpsilon(of ledger: PrivacyLedger, delta: Double) throws(PrivacyError) -> Double {
    try epsilon(of: ledger, delta: delta).upper
  }

  /// Bounds of δ at an ε.
  ///
  /// - Throws: `PrivacyError.outOfRange` for a negative or infinite ε.
  public func delta(of ledger: PrivacyLedger, epsilon: Double) throws(PrivacyError) -> PrivacyBounds {
    try check(epsilon >= 0 && epsilon.isFinite, "PLDAccountant", "an epsilon", "of at least 0", epsilon)
    let rounding = Self.roundingOfLosses(ledger)
    let bounds = bounds(of: ledger.merged, .epsilon(epsilon)) {
      $0.delta(epsilon - $1 * rounding, sign: $1)
    }
    return bounds.capped(at: try RDPAccountant().delta(of: ledger, epsilon: epsilon))
  }

  /// The larger bounds of the directions. `value` takes composed losses and the side, −1 or 1.
  func bounds(
    of ledger: PrivacyLedger, _ goal: Tilt.Goal, in directions: [LossPair.Direction] = [.remove, .add],
    _ value: (ComposedLosses, Double) -> Double
  ) -> PrivacyBounds {
    if ledger.entries.isEmpty { return PrivacyBounds(lower: 0, upper: 0) }
    let transform = Fourier(count: points)
    var (lower, upper) = (0.0, 0.0)
    // Without subsampling both directions are the same.
    let isSymmetric = ledger.entries.allSatisfy { $0.mechanism.rate == 1 }
    for direction in isSymmetric ? [.remove] : directions {
      let tilt = Tilt(ledger, direction, goal)
      let pairs = ledger.entries.map { (LossPair($0.mechanism, direction), $0.steps) }
      let step = step(for: tilt, pairs.map(\.0))
      func composed(_ side: (LossPair, Double, Double) -> GridLosses) -> ComposedLosses {
        ComposedLosses(
          pairs.map { (side($0, step, tilt.tail), $1) }, tilt: tilt, step: step, transform: transform)
      }
      lower = max(lower, value(composed(GridLosses.below), -1))
      upper = max(upper, value(composed(GridLosses.above), 1))
    }
    return PrivacyBounds(lower: lower, upper: upper)
  }

  /// The grid's step: the window over the points, or more where a single step's losses would need too many.
  private func step(for tilt: Tilt, _ pairs: [LossPair]) -> Double {
    let width = tilt.window.upperBound - tilt.window.lowerBound
    let widest = pairs.map { pair in
      let range = pair.losses(beyond: tilt.tail)
      return range.upperBound - range.lowerBound
    }.max()!
    return max(1e-12, width / Double(points - 2), widest / Double(2 * points))
  }

  /// A bound of the losses' own rounding errors, summed over the steps: that of an outcome is a few units in
  /// the last place of 1 + 1/(2σ²) in units of the loss.
  private static func roundingOfLosses(_ ledger: PrivacyLedger) -> Double {
    ledger.entries.reduce(0) { sum, entry in
      let noise = entry.mechanism.noiseMultiplier
      return sum + Double(entry.steps) * 8 * .ulpOfOne * (1 + 1 / (noise * noise))
    }
  }
}
