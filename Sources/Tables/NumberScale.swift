import Tensors

/// The numbers of a column: their spelling, bounds, rounding and frequent values, and the map to the units of
/// a flow.
///
/// Numbers that are rounded to multiples of `step` have no density. Such a number stands for the cell between
/// x − step / 2 and x + step / 2, and has the probability of the cell.
struct NumberScale: Sendable, Hashable {
  /// The way in which numbers are written.
  enum Spelling: Sendable, Hashable {
    /// Decimals, as many as `places` or, if `isFixed`, exactly as many.
    case decimal(places: Int, isFixed: Bool)
    /// Days, or times in seconds.
    case date(DateFormat)
  }

  var spelling: Spelling
  /// The distance of rounded numbers; 0 for numbers with a density.
  var step: Double
  /// The declared bounds. Numbers outside are errors.
  var lower: Double?
  var upper: Double?
  /// The ends of draws: the declared bounds, or the least and the greatest number of the table. A tail can be
  /// so heavy that a draw would spoil a mean.
  var least = -Double.greatestFiniteMagnitude
  var most = Double.greatestFiniteMagnitude
  /// The numbers that are so frequent that they have probabilities of their own.
  var spikes: [Double] = []
  var curve = Curve.identity
  var mean = 0.0
  var deviation = 1.0

  /// Computes the ends of cells in the flow's units, and the logarithm of the cell's length there.
  ///
  /// For numbers with a density the ends are equal, and the logarithm is that of the map's slope.
  ///
  /// - Precondition: The numbers are inside the curve's domain.
  func intervals(_ x: Tensor) -> (low: Tensor, high: Tensor, logScale: Tensor) {
    if step > 0 {
      let (low, high) = (units(x - step / 2), units(x + step / 2))
      return (low, high, log(maximum(high - low, 1e-300)))
    }
    let y = units(x)
    return (y, y, curve.logSlope(x) - log(Tensor(deviation, dtype: .float64)))
  }

  private func units(_ x: Tensor) -> Tensor { (curve(x) - mean) / deviation }

  /// Whether a number has a place in the flow's units.
  func admits(_ x: Double) -> Bool { curve.contains(x - step / 2) && curve.contains(x + step / 2) }

  /// Whether a number is within declared bounds.
  func isWithinBounds(_ x: Double) -> Bool {
    x >= (lower ?? -.infinity) && x <= (upper ?? .infinity)
  }

  /// The numbers of a flow's draws, rounded and between the ends.
  func numbers(_ y: Tensor) -> [Double] {
    curve.inverse(y.cast(to: .float64) * deviation + mean).doubles.map { x in
      guard step > 0 else { return min(max(x, least), most) }
      // The ends may lie between multiples of the step.
      let (low, high) = ((least / step - 1e-9).rounded(.up), (most / step + 1e-9).rounded(.down))
      let place = (x / step).rounded()
      return (low <= high ? min(max(place, low), high) : place) * step
    }
  }

  func text(_ x: Double) -> String { spelling.text(x) }
}

extension NumberScale.Spelling {
  /// Whether two numbers have the same text.
  func writesAlike(_ x: Double, _ y: Double) -> Bool {
    guard case .decimal(let places, _) = self else { return text(x) == text(y) }
    let power = (0..<places).reduce(1.0) { product, _ in product * 10 }
    let (a, b) = ((x * power).rounded(), (y * power).rounded())
    return places < 15 && abs(a) < 9e15 && abs(b) < 9e15 ? a == b : x == y
  }

  func text(_ x: Double) -> String {
    switch self {
    case .date(let format): return format.text(x)
    case .decimal(let places, let isFixed):
      let power = (0..<places).reduce(1.0) { product, _ in product * 10 }
      let scaled = (abs(x) * power).rounded()
      // Numbers without rounding are written with all their digits.
      guard scaled < 9e15, places < 15 else { return shortest(x) }
      let digits = "\(Int(scaled))"
      let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
      var fraction = padded.suffix(places)
      if !isFixed { while fraction.last == "0" { fraction.removeLast() } }
      let sign = x < 0 && scaled > 0 ? "-" : ""
      return sign + padded.dropLast(places) + (fraction.isEmpty ? "" : "." + fraction)
    }
  }

  private func shortest(_ x: Double) -> String {
    let text = "\(x)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
