#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The two output distributions of one step, with a row and without it, in one direction of adjacency.
///
/// The privacy loss is log(numerator/denominator) of an output that is drawn from the numerator. In the
/// direction `.remove` the numerator is P, that with the row. In the direction `.add` it is Q. An outcome u
/// is the output in units of σ. It is turned around in `.add`, so the loss rises with it in both directions.
struct LossPair {
  enum Direction { case remove, add }

  let rate, noise: Double
  let direction: Direction

  init(_ mechanism: SubsampledGaussian, _ direction: Direction) {
    (rate, noise, self.direction) = (mechanism.rate, mechanism.noiseMultiplier, direction)
  }

  /// The probabilities of an interval of outcomes, with bounds of their rounding errors.
  struct Masses {
    var numerator, denominator, numeratorError, denominatorError: Double
  }

  /// The outcome with a loss; infinite for a loss outside the range of losses.
  ///
  /// log(1 − q + q e^w) = l has the solution w = log(1 + (e^l − 1)/q), and w = u/σ − 1/(2σ²).
  func outcome(of loss: Double) -> Double {
    let l = direction == .remove ? loss : -loss
    let isNear = abs(l) < 0.7
    let ratio = isNear ? expm1(l) / rate : (rate - 1) * exp(-l)
    let w = ratio <= -1 ? -.infinity : isNear ? log1p(ratio) : l - log(rate) + log1p(ratio)
    let u = noise * w + 1 / (2 * noise)
    return direction == .remove ? u : -u
  }

  /// The loss of an outcome.
  func loss(of outcome: Double) -> Double {
    let w = (direction == .remove ? outcome : -outcome) / noise - 1 / (2 * noise * noise)
    let l =
      abs(w) < 0.7
      ? log1p(rate * expm1(w))
      : w < 0 ? log(1 - rate + rate * exp(w)) : w + log(rate) + log1p((1 - rate) / rate * exp(-w))
    return direction == .remove ? l : -l
  }

  func masses(from a: Double, to b: Double) -> Masses {
    let shift = direction == .remove ? 1 / noise : -1 / noise
    let (plain, plainError) = normalMass(from: a, to: b)
    let (shifted, shiftedError) = normalMass(from: a - shift, to: b - shift)
    let mixture = (1 - rate) * plain + rate * shifted
    let mixtureError = (1 - rate) * plainError + rate * shiftedError
    return direction == .remove
      ? Masses(
        numerator: mixture, denominator: plain, numeratorError: mixtureError, denominatorError: plainError)
      : Masses(
        numerator: plain, denominator: mixture, numeratorError: plainError, denominatorError: mixtureError)
  }

  /// Outcomes beyond which the numerator has at most this probability on each side.
  func outcomes(beyond tail: Double) -> ClosedRange<Double> {
    // P(N(0,1) > z) ≤ e^(−z²/2) / 2.
    let z = (-2 * log(2 * tail)).squareRoot()
    return -z...(direction == .remove ? z + 1 / noise : z)
  }

  /// The losses of these outcomes.
  func losses(beyond tail: Double) -> ClosedRange<Double> {
    let outcomes = outcomes(beyond: tail)
    let lowest = loss(of: outcomes.lowerBound)
    return lowest...max(lowest, loss(of: outcomes.upperBound))
  }
}

/// The probability of an interval under N(0, 1), and a bound of the error: a few units in the last place of
/// the two tails whose difference it is.
private func normalMass(from a: Double, to b: Double) -> (mass: Double, error: Double) {
  let scale = 0.5.squareRoot()
  let (first, second): (Double, Double)
  if a > 0 {
    (first, second) = (erfc(a * scale), erfc(b * scale))
  } else if b < 0 {
    (first, second) = (erfc(-b * scale), erfc(-a * scale))
  } else {
    (first, second) = (erf(b * scale), erf(a * scale))
  }
  // A rounded argument moves erfc(x) by x² units in the last place.
  let nearest = min(abs(a), abs(b))
  let units = 4 + (nearest < 40 ? nearest * nearest : 0)
  return (0.5 * max(0, first - second), units * Double.ulpOfOne / 2 * (abs(first) + abs(second)))
}
