#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A distribution of privacy losses on the grid of multiples of a step, which bounds the true one from one
/// side.
///
/// Each construction keeps the likelihood ratio of every atom exact or errs to its own side. Rounding errors
/// are charged to that side too.
struct GridLosses {
  /// The loss of the first atom, in steps.
  var first: Int
  var masses: [Double]
  /// The mass at an infinite loss.
  var infinite = 0.0

  /// A distribution that is at least as bad as the true one.
  ///
  /// The mass between two grid points is split between them, so that both the numerator's and the
  /// denominator's mass are kept (connect the dots, arXiv:2207.04380). The true outputs are a coarsening of
  /// the split ones. The mass beyond the range goes to its lower end, and above it to infinity.
  static func above(_ pair: LossPair, step: Double, tail: Double) -> GridLosses {
    let range = pair.losses(beyond: tail)
    let first = Int((range.lowerBound / step).rounded(.down))
    let last = max(first + 1, Int((range.upperBound / step).rounded(.up)))
    var masses = [Double](repeating: 0, count: last - first + 1)
    let spread = -expm1(-step)
    var a = pair.outcome(of: Double(first) * step)
    let below = pair.masses(from: -.infinity, to: a)
    masses[0] = below.numerator + below.numeratorError
    for k in first..<last {
      let b = pair.outcome(of: Double(k + 1) * step)
      let m = pair.masses(from: a, to: b)
      let growth = exp(Double(k) * step)
      let total = m.numerator + m.numeratorError
      let rounding = (4 + abs(Double(k) * step)) * .ulpOfOne
      let error = m.numeratorError + growth * (m.denominatorError + rounding * m.denominator)
      let upper = min(total, max(0, (m.numerator - growth * m.denominator + error) / spread))
      masses[k - first] += total - upper
      masses[k - first + 1] += upper
      a = b
    }
    let rest = pair.masses(from: a, to: .infinity)
    return GridLosses(first: first, masses: masses, infinite: rest.numerator + rest.numeratorError)
  }

  /// A distribution that is at most as bad as the true one.
  ///
  /// Adjacent outputs are merged into bins whose likelihood ratio lies on the grid. Merging is
  /// post-processing, so it only hides information. A bin starts where the last one ends, and it ends where
  /// its ratio reaches that of the next grid point kh. The last bins, which reach none, get the grid point
  /// below. The tails are dropped.
  static func below(_ pair: LossPair, step: Double, tail: Double) -> GridLosses {
    let range = pair.losses(beyond: tail)
    var start = range.lowerBound
    let end = range.upperBound
    let first = Int((start / step).rounded(.down))
    let last = max(first, Int((end / step).rounded(.down)))
    var masses = [Double](repeating: 0, count: last - first + 1)
    var a = pair.outcomes(beyond: tail).lowerBound
    var k = first + 1
    while k <= last {
      var bin = Bin(pair: pair, start: a, point: Double(k) * step)
      if let stop = bin.end(step: step, before: end) {
        masses[k - first] += bin.mass
        (start, a) = (stop, bin.outcome)
      } else {
        _ = bin.excess(Double(k + 1) * step)
        masses[k - 1 - first] += bin.mass
        (start, a) = (Double(k + 1) * step, bin.outcome)
      }
      k = max(k + 1, Int((start / step).rounded(.down)) + 1)
    }
    return GridLosses(first: first, masses: masses)
  }

  /// The finite masses times e^(λ·loss), normalized, and a bound of their Σ |error|. With a modulus, a power
  /// of two, the atom k stands at k modulo it.
  func tilted(_ order: Double, step: Double, modulo count: Int?) -> (masses: [Double], error: Double) {
    let moment = logMoment(order, step: step)
    var tilted = [Double](repeating: 0, count: count ?? masses.count)
    var error = 0.0
    for (i, mass) in masses.enumerated() where mass > 0 {
      let exponent = order * step * Double(first + i)
      let value = mass * exp(exponent - moment)
      tilted[count.map { (first + i) & ($0 - 1) } ?? i] += value
      error += value * .ulpOfOne * (4 + abs(exponent) + abs(moment))
    }
    return (tilted, error)
  }

  /// log Σ p e^(λ·loss), of the finite losses.
  func logMoment(_ order: Double, step: Double) -> Double {
    var sum = LogSum()
    for (i, mass) in masses.enumerated() where mass > 0 {
      sum.add(log(mass) + order * step * Double(first + i))
    }
    return sum.value
  }
}

/// A bin of outputs from one outcome to another whose likelihood ratio should be e^point.
private struct Bin {
  let pair: LossPair
  let start, point, growth: Double
  /// The mass and the end of the bin that was looked at last.
  private(set) var mass = 0.0
  private(set) var outcome = 0.0

  init(pair: LossPair, start: Double, point: Double) {
    (self.pair, self.start, self.point, growth) = (pair, start, point, exp(point))
  }

  /// The excess of the numerator's mass over e^point times the denominator's, if the bin ends at a loss.
  /// Rounding errors are taken off.
  mutating func excess(_ loss: Double) -> Double {
    outcome = pair.outcome(of: loss)
    let m = pair.masses(from: start, to: outcome)
    mass = max(0, m.numerator - m.numeratorError)
    let rounding = (4 + abs(point)) * .ulpOfOne
    return m.numerator - m.numeratorError - growth * (m.denominator * (1 + rounding) + m.denominatorError)
  }

  /// The loss at which the excess becomes 0, a little above it rather than below; nil if it stays negative.
  ///
  /// The excess is about linear in the square s of the distance from the point, so false positions (Illinois)
  /// of s converge in a few steps.
  mutating func end(step: Double, before last: Double) -> Double? {
    var (low, high) = (0.0, step)
    var bottom = excess(point)
    if bottom >= 0 { return point }
    var top = excess(point + high)
    while top < 0 {
      if point + high > last || high > 64 * step { return nil }
      (low, bottom, high) = (high, top, 2 * high)
      top = excess(point + high)
    }
    (low, high) = (low * low, high * high)
    var best = (excess: top, mass: mass, outcome: outcome)
    for _ in 0..<20 where best.excess > 0 && high - low > 1e-6 * step * step {
      let middle = low + (high - low) * bottom / (bottom - top)
      let next = excess(point + middle.squareRoot())
      if next >= 0 {
        best = (next, mass, outcome)
        (high, top, bottom) = (middle, next, bottom / 2)
      } else {
        (low, bottom, top) = (middle, next, top / 2)
      }
    }
    (mass, outcome) = (best.mass, best.outcome)
    return point + high.squareRoot()
  }
}
