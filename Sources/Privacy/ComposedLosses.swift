#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The distribution of the summed losses of all steps, tilted, with a bound of its error.
struct ComposedLosses {
  private let step, order, logScale: Double
  /// The loss of the first atom, in steps.
  private let first: Int
  /// Tilted probabilities: that of a loss l is e^(logScale − order·l) times its entry.
  private let masses: [Double]
  /// A bound of Σ |error| of the tilted probabilities, wrap-around and both cut tails included.
  private let error: Double
  /// A bound of the relative error of sums of δ, and of the factor that undoes the tilt.
  private let rounding: Double
  /// A bound of the mass at an infinite loss.
  private let infinite: Double

  /// Composes single steps by Fourier transforms of one length. A single step needs none.
  init(_ parts: [(losses: GridLosses, steps: Int)], tilt: Tilt, step: Double, transform: Fourier) {
    let order = tilt.order
    var (logScale, infinite) = (0.0, 0.0)
    for (losses, steps) in parts {
      logScale += Double(steps) * losses.logMoment(order, step: step)
      infinite += Double(steps) * losses.infinite
    }
    if parts.count == 1 && parts[0].steps == 1 {
      first = parts[0].losses.first
      (masses, error) = parts[0].losses.tilted(order, step: step, modulo: nil)
    } else {
      first = Int((tilt.window.lowerBound / step).rounded(.down))
      let (tilted, transformError) = ComposedLosses.composed(parts, order, step, transform, first: first)
      masses = tilted
      // Chernoff's bounds of the tilted tails beyond the window that the transform covers.
      var tails = 0.0
      for (extra, edge) in [(tilt.extra.above, first + masses.count), (-tilt.extra.below, first)] {
        let moment = parts.reduce(0) {
          $0 + Double($1.steps) * $1.losses.logMoment(order + extra, step: step)
        }
        tails += exp(min(0, moment - logScale - extra * step * Double(edge)))
      }
      error = transformError + tails
    }
    let largest = max(abs(Double(first)), abs(Double(first + masses.count))) * step
    rounding = .ulpOfOne * (4 * Double(masses.count) + abs(logScale) + 2 * order * largest)
    (self.step, self.order, self.logScale, self.infinite) = (step, order, logScale, infinite)
  }

  /// The tilted probabilities of the sums, and a bound of Σ |error| of rounding.
  private static func composed(
    _ parts: [(losses: GridLosses, steps: Int)], _ order: Double, _ step: Double, _ transform: Fourier,
    first: Int
  ) -> (masses: [Double], error: Double) {
    let (count, unit) = (transform.count, transform.unitError)
    var (real, imaginary) = ([Double](repeating: 1, count: count), [Double](repeating: 0, count: count))
    // Bounds of the products' sizes, and of their errors relative to these.
    var (sizes, relative) = (real, imaginary)
    var error = 0.0
    for (losses, steps) in parts {
      var (x, rounding) = losses.tilted(order, step: step, modulo: count)
      var y = [Double](repeating: 0, count: count)
      error += Double(steps) * rounding
      transform.forward(&x, &y)
      for j in 0..<count {
        // |aᵀ − bᵀ| ≤ T |a − b| max(|a|, |b|)^(T−1)
        let size = (x[j] * x[j] + y[j] * y[j]).squareRoot() + unit
        sizes[j] *= exp(Double(steps) * log(size))
        relative[j] += Double(steps) * (unit / size + 2 * .ulpOfOne)
        let (a, b) = power(x[j], y[j], steps)
        (real[j], imaginary[j]) = (real[j] * a - imaginary[j] * b, real[j] * b + imaginary[j] * a)
      }
    }
    // Σ |x| ≤ ‖x̂‖, by Cauchy and Parseval.
    var squares = (errors: 0.0, sizes: 0.0)
    for j in 0..<count {
      squares.errors += sizes[j] * sizes[j] * relative[j] * relative[j]
      squares.sizes += sizes[j] * sizes[j]
    }
    error += squares.errors.squareRoot() + unit * squares.sizes.squareRoot()
    transform.backward(&real, &imaginary)
    return ((0..<count).map { max(0, real[($0 + first) & (count - 1)]) / Double(count) }, error)
  }

  /// A bound of the error of δ at ε.
  private func slack(_ epsilon: Double) -> Double { error * exp(logScale - order * epsilon) }

  /// δ at ε, plus (sign 1) or minus (sign −1) the bound of its error.
  func delta(_ epsilon: Double, sign: Double) -> Double {
    var (mass, delta) = (0.0, 0.0)  // above the loss k·step, and δ there
    for k in stride(from: first + masses.count - 1, through: first, by: -1) {
      let loss = Double(k) * step
      if loss <= epsilon { break }
      let next = k == first ? epsilon : max(epsilon, Double(k - 1) * step)
      (mass, delta) = advanced(mass, delta, to: k, by: next - loss)
    }
    let bound = delta * (1 + sign * rounding) + sign * slack(epsilon) + (sign > 0 ? infinite : 0)
    return min(1, max(0, bound))
  }

  /// The ε of at least 0 at which δ, with the bound of its error, has a value.
  func epsilon(_ target: Double, sign: Double) -> Double {
    var (mass, delta) = (0.0, 0.0)
    for k in stride(from: first + masses.count - 1, through: first, by: -1) {
      let end = Double(k - 1) * step
      let (nextMass, next) = advanced(mass, delta, to: k, by: -step)
      let rest = (target - sign * slack(end) - (sign > 0 ? infinite : 0)) / (1 + sign * rounding)
      if next >= rest {
        // In the cell δ is mass − e^(ε − k·step) (mass − δ(k·step)).
        let growth = (nextMass - rest) / (nextMass - delta)
        return max(0, min(Double(k) * step, Double(k) * step + log(max(growth, exp(-step)))))
      }
      if end <= 0 { return 0 }
      (mass, delta) = (nextMass, next)
    }
    return sign > 0 ? max(0, Double(first) * step) : 0
  }

  /// The mass from the atom k on, and δ at a loss below it by −`distance`, from those at that atom.
  private func advanced(
    _ mass: Double, _ delta: Double, to k: Int, by distance: Double
  ) -> (mass: Double, delta: Double) {
    let tilted = masses[k - first]
    let mass = tilted > 0 ? mass + tilted * exp(logScale - order * step * Double(k)) : mass
    return (mass, delta - expm1(distance) * (mass - delta))
  }
}

/// A power of a complex number by repeated squaring.
private func power(_ x: Double, _ y: Double, _ exponent: Int) -> (Double, Double) {
  var (result, square, rest) = ((1.0, 0.0), (x, y), exponent)
  while rest > 0 {
    if rest & 1 == 1 {
      result = (result.0 * square.0 - result.1 * square.1, result.0 * square.1 + result.1 * square.0)
    }
    square = (square.0 * square.0 - square.1 * square.1, 2 * square.0 * square.1)
    rest >>= 1
  }
  return result
}
