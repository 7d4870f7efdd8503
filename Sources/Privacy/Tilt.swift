#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The tilt and the window in which the losses of all steps are composed, chosen from moments before any
/// grid.
///
/// Probabilities are multiplied by e^(λ·loss) and normalized before they are composed. With λ at the saddle
/// point the composed losses lie around the wished ε. So the errors of the transform, of the wrap-around and
/// of the cut tails are relative to δ.
struct Tilt {
  /// The exponent λ.
  let order: Double
  /// The probability that may be cut off a step's losses on each side. All cuts cost 10⁻⁶ of δ.
  let tail: Double
  /// The losses that hold all but about 10⁻⁹ of the tilted probability on each side.
  let window: ClosedRange<Double>
  /// The changes of the order in Chernoff's bounds of the tails above and below the window.
  let extra: (above: Double, below: Double)

  /// The given number, δ or ε. The other one is sought.
  enum Goal { case delta(Double), epsilon(Double) }

  init(_ ledger: PrivacyLedger, _ direction: LossPair.Direction, _ goal: Goal) {
    /// log E[e^(λ·loss)] of all steps, without their cut tails.
    func moment(_ order: Double, _ cut: (LossPair) -> Double = { _ in .infinity }) -> Double {
      ledger.entries.reduce(0) { sum, entry in
        let moment =
          direction == .remove
          ? entry.mechanism.logMoment(1 + order, below: cut(LossPair(entry.mechanism, direction)))
          : entry.mechanism.logMoment(-order)
        return sum + Double(entry.steps) * moment
      }
    }
    let delta: Double
    switch goal {
    case .delta(let given):
      order = minimizer { (moment($0) - log(given)) / $0 }.argument
      delta = given
    case .epsilon(let epsilon):
      // Chernoff's bound is far above δ where most steps lose nothing.
      let (least, logBound) = minimizer { moment($0) - $0 * epsilon }
      (order, delta) = (least, exp(3 * logBound))
    }
    let tail = 1e-6 * min(0.1, max(delta, PLDAccountant.leastDelta)) / Double(ledger.steps)
    self.tail = tail
    // Chernoff's bounds of the tilted tails.
    let cut: (LossPair) -> Double = { $0.outcomes(beyond: tail).upperBound }
    let order = order
    let rest = moment(order, cut) + log(1e-9)
    let above = minimizer(from: order) { (moment(order + $0, cut) - rest) / $0 }
    let below = minimizer(from: order) { (moment(order - $0, cut) - rest) / $0 }
    extra = (above.argument, below.argument)
    if ledger.steps == 1 {
      window = LossPair(ledger.entries[0].mechanism, direction).losses(beyond: tail)
    } else {
      window = -below.value...max(above.value, -below.value)
    }
  }
}

/// The minimum over 10⁻⁶ to 10⁴ of a function that falls and then rises.
private func minimizer(
  from start: Double = 1, _ function: (Double) -> Double
) -> (argument: Double, value: Double) {
  let ratio = 2.0
  var best = (argument: start, value: function(start))
  for factor in [ratio, 1 / ratio] {
    let before = best.argument
    while true {
      let next = best.argument * factor
      guard next > 1e-6 && next < 1e4 else { break }
      let value = function(next)
      guard value < best.value else { break }
      best = (next, value)
    }
    if best.argument != before { break }
  }
  // Golden sections of the logarithm around the best point.
  var (low, high) = (best.argument / ratio, best.argument * ratio)
  let golden = 0.6180339887498949
  func inner(_ share: Double) -> (argument: Double, value: Double) {
    let x = low * pow(high / low, share)
    return (x, function(x))
  }
  var (left, right) = (inner(1 - golden), inner(golden))
  for _ in 0..<12 {
    if left.value < right.value {
      (high, right) = (right.argument, left)
      left = inner(1 - golden)
    } else {
      (low, left) = (left.argument, right)
      right = inner(golden)
    }
  }
  return [best, left, right].min { $0.value < $1.value }!
}
