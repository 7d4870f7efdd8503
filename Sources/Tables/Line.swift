/// A line on which the numbers of two columns lie: y = slope · x + intercept, rounded as y is written.
struct Line: Sendable, Hashable {
  let slope, intercept: Double
  /// The rounding error of numbers with all digits of float64, relative to the largest term; 0 for others.
  let relativeTolerance: Double

  /// 16 units in the last place.
  static let rounding = 0x1p-48

  /// The line's y. It is no negative zero.
  func callAsFunction(_ x: Double) -> Double { slope * x + intercept + 0 }

  /// Whether the line reproduces a number to its last decimal.
  func contains(_ x: Double, _ y: Double, in spelling: NumberScale.Spelling) -> Bool {
    let own = self(x)
    if spelling.writesAlike(own, y) { return true }
    return abs(y - own) <= relativeTolerance * max(abs(y), abs(slope * x), abs(intercept))
  }
}

extension Line {
  /// Finds a line through points; nil if there is none. Slope and intercept have few decimals where they can.
  ///
  /// For a slope a, an intercept exists if the numbers y − a · x span less than a unit of y. The span is a
  /// convex function of a. Slopes of few decimals are tried first, and their inverses, such as 1 / 2.54. The
  /// line must reproduce every number.
  ///
  /// - Parameters:
  ///   - ends: the places of the least and the greatest x.
  ///   - unit: the unit of the last decimal of y; 0 for numbers with all digits.
  ///   - spelling: the way in which y is written.
  ///   - relativeTolerance: the rounding error relative to the largest term.
  init?(
    through x: [Double], _ y: [Double], ends: (low: Int, high: Int), unit: Double,
    in spelling: NumberScale.Spelling, within relativeTolerance: Double
  ) {
    let width = x[ends.high] - x[ends.low]
    let first = (y[ends.high] - y[ends.low]) / width
    let top = max(abs(first) * max(abs(x[ends.low]), abs(x[ends.high])), abs(y[ends.low]), abs(y[ends.high]))
    let tolerance = max(0.5 * unit, Line.rounding * top)
    let most = 2 * tolerance * 1.000_001
    // Near the middle of the ends, no line within the tolerance is farther from theirs than twice that.
    func isNear(_ i: Int) -> Bool { abs(y[i] - y[ends.low] - first * (x[i] - x[ends.low])) <= most }
    guard first.isFinite, first != 0,
      stride(from: 0, to: x.count, by: max(1, x.count / 64)).allSatisfy(isNear),
      x.indices.allSatisfy(isNear)
    else { return nil }

    func span(_ slope: Double) -> (low: Double, high: Double) {
      var (low, high) = (Double.infinity, -Double.infinity)
      for i in x.indices {
        let rest = y[i] - slope * x[i]
        (low, high) = (min(low, rest), max(high, rest))
      }
      return (low, high)
    }
    /// The line of a slope with the shortest intercept; nil if no intercept reproduces all numbers.
    func line(_ slope: Double) -> Line? {
      let (low, high) = span(slope)
      guard slope.isFinite, slope != 0, high - low <= most else { return nil }
      let middle = (low + high) / 2
      let room = max(tolerance - (high - low) / 2, 0) + 1e-6 * tolerance
      let decimals = (0...15).lazy.map { places in
        let power = (0..<places).reduce(1.0) { product, _ in product * 10 }
        return (middle * power).rounded() / power
      }
      let short = decimals.first { abs($0 - middle) <= room } ?? middle
      return (short == middle ? [middle] : [short, middle]).lazy
        .map { Line(slope: slope, intercept: $0, relativeTolerance: relativeTolerance) }
        .first { line in x.indices.allSatisfy { line.contains(x[$0], y[$0], in: spelling) } }
    }
    let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
    var (products, squares) = (0.0, 0.0)
    for i in x.indices {
      products += (x[i] - meanX) * (y[i] - meanY)
      squares += (x[i] - meanX) * (x[i] - meanX)
    }
    let least = products / squares
    let slopes = (1...9).flatMap { [rounded(least, digits: $0), 1 / rounded(1 / least, digits: $0)] }
    let found = Set(slopes + [least, first]).compactMap(line)
    if let shortest = found.min(by: { ($0.digits, $0.slope) < ($1.digits, $1.slope) }) {
      self = shortest
      return
    }
    // Ternary search for the least span.
    var (a, b) = (first - most / width, first + most / width)
    for _ in 0..<60 {
      let (c, d) = (a + (b - a) / 3, b - (b - a) / 3)
      let (left, right) = (span(c), span(d))
      if left.high - left.low < right.high - right.low { b = d } else { a = c }
    }
    guard let line = line((a + b) / 2) else { return nil }
    self = line
  }

  /// The length of the numbers' spelling, that of an inverse slope included.
  private var digits: Int {
    min(spelled(slope).count, spelled(1 / slope).count + 1) + spelled(intercept).count
  }
}

/// A number rounded to some decimal digits. Numbers beyond 10^±15 stay as they are.
private func rounded(_ x: Double, digits: Int) -> Double {
  guard x.isFinite, abs(x) > 1e-15, abs(x) < 1e15 else { return x }
  var (up, down) = (1.0, 1.0)
  // At least so many digits before the point after multiplication, and at most so many after division.
  let least = (1..<digits).reduce(1.0) { product, _ in product * 10 }
  while abs(x) * up < least { up *= 10 }
  while abs(x) / down >= 10 * least { down *= 10 }
  return up > 1 ? (x * up).rounded() / up : (x / down).rounded() * down
}
