import Tensors

/// A search for the number x with f(x) = y, for an increasing function f.
///
/// The caller evaluates f at `point` and passes the result to `advance`, until the search is over. It is
/// over when y is met, or when two adjacent floats have values on both sides of y. The end that misses y by
/// less is then the root. So a root is always certified; otherwise it is NaN.
///
/// A point comes from Newton's method, from the better end of the bracket. Where that leaves the bracket or
/// its steps shrink too slowly, it is the midpoint in the order of floats: that closes a bracket of any size
/// in 64 steps. Where Newton's step is below the spacing of floats, the point goes one float further, then
/// 2, 4 and so on, so that the bracket closes although rounding makes f irregular.
///
/// The method follows Press, Teukolsky, Vetterling & Flannery, *Numerical Recipes*, section 9.4 (`rtsafe`).
/// The midpoint differs.
struct RootSearch {
  /// One end of the bracket.
  private struct End {
    var x: Double
    var excess = 0.0
    var slope = 0.0
    var origin = Origin.unlimited
  }
  /// The reason for an end of the bracket.
  private enum Origin {
    /// No end was given: it is infinite.
    case unlimited
    /// The caller gave it. It has not been evaluated.
    case given
    /// f is on the right side of y there.
    case evaluated
    /// f is NaN there.
    case undefined
  }

  /// The next point to evaluate.
  private(set) var point: Double
  /// The result, after the end of the search.
  private(set) var root = Double.nan
  /// Whether the search is over.
  private(set) var isOver = false

  private let target: Double
  private let floats: FloatOrder
  private var lower, upper: End
  private var steps = (last: Double.infinity, before: Double.infinity)
  private var stalled: (count: Int, width: UInt64) = (0, .max)
  private var nudges = 0
  private var halvings = 0

  /// A search among all floats, from x = y on. An infinite y is its own solution.
  init(of y: Double, among floats: FloatOrder) {
    (target, self.floats, point) = (y, floats, y)
    (lower, upper) = (End(x: -.infinity), End(x: .infinity))
    if !y.isFinite { finish(y) }
  }

  /// A search in a bracket, from its middle on. An end that is not finite does not limit the search.
  init(of y: Double, from lower: Double, to upper: Double, among floats: FloatOrder) {
    self.init(of: y, among: floats)
    if lower.isFinite { self.lower = End(x: lower, origin: .given) }
    if upper.isFinite { self.upper = End(x: upper, origin: .given) }
    let middle = floats.dtype.rounded(lower + 0.5 * (upper - lower))
    if middle.isFinite {
      (point, steps) = (middle, (upper - lower, upper - lower))
    } else if !(self.lower.x < y && y < self.upper.x) {
      point = floats.middle(self.lower.x, self.upper.x)
    }
    let isBeyond = y == .infinity && upper.isFinite || y == -.infinity && lower.isFinite
    if isBeyond || !(self.lower.x <= self.upper.x) { finish(.nan) }
  }

  /// Takes f and f′ at `point`, and chooses the next point.
  mutating func advance(_ value: Double, _ slope: Double) {
    let excess = value - target
    if excess == 0 { return finish(point) }
    if excess.isNaN { return retreat() }
    if point == (excess < 0 ? upper : lower).x { return leave(excess) }
    let end = End(x: point, excess: excess, slope: slope, origin: .evaluated)
    if excess < 0 { lower = end } else { upper = end }
    let width = floats.distance(lower.x, upper.x)
    if width <= 1 { return close() }
    move(to: next(width))
  }

  private mutating func finish(_ x: Double) { (root, isOver) = (x, true) }

  private mutating func move(to x: Double) {
    steps = (abs(x - point), steps.last)
    point = x
  }

  /// Ends the search at two adjacent floats, or evaluates the one that the caller gave.
  private mutating func close() {
    switch (lower.origin, upper.origin) {
    case (.given, _): move(to: lower.x)
    case (_, .given): move(to: upper.x)
    case (.undefined, _), (_, .undefined): finish(.nan)
    case (.unlimited, _): finish(lower.x)  // Every finite number is too large.
    case (_, .unlimited): finish(upper.x)
    default: finish(-lower.excess <= upper.excess ? lower.x : upper.x)
    }
  }

  /// The solution is beyond an end of the given bracket. By rounding, the end itself may be meant.
  private mutating func leave(_ excess: Double) {
    finish(abs(excess) <= 8 * floats.epsilon * abs(target) ? point : .nan)
  }

  /// f is NaN at the point, as where it overflows far out. The search goes on towards the numbers where f is
  /// known, or towards 0.
  private mutating func retreat() {
    let end = End(x: point, origin: .undefined)
    switch (lower.origin, upper.origin) {
    case (.evaluated, .evaluated): return finish(.nan)
    case (.evaluated, _): upper = end
    case (_, .evaluated): lower = end
    default:
      if point > 0 { upper = end } else { lower = end }
      return lower.x < 0 && upper.x > 0 ? move(to: 0) : finish(.nan)
    }
    if floats.distance(lower.x, upper.x) <= 1 { return finish(.nan) }
    move(to: middle())
  }

  /// Newton's point if it serves, else the middle.
  private mutating func next(_ width: UInt64) -> Double {
    stalled.count += 1
    if width <= stalled.width / 2 { stalled = (0, width) }
    if stalled.count > 4 {
      stalled = (0, width)
      return middle()
    }
    let isLowerBetter = upper.origin != .evaluated || -lower.excess < upper.excess
    let (better, other) =
      lower.origin == .evaluated && isLowerBetter ? (lower, upper) : (upper, lower)
    return newton(from: better) ?? newton(from: other) ?? middle()
  }

  /// Newton's point from an end, if it lies in the bracket and steps shrink.
  private mutating func newton(from end: End) -> Double? {
    guard end.origin == .evaluated, end.slope > 0, end.slope.isFinite else { return nil }
    var x = floats.dtype.rounded(end.x - end.excess / end.slope)
    if x <= lower.x, lower.origin == .given { return lower.x }
    if x >= upper.x, upper.origin == .given { return upper.x }
    guard x.isFinite, 2 * abs(x - end.x) <= steps.before else { return nil }
    if floats.distance(x, end.x) <= 1 {
      x = floats.moved(end.x, by: (end.excess < 0 ? 1 : -1) << min(nudges, 60))
      nudges += 1
    }
    return x > lower.x && x < upper.x ? x : nil
  }

  /// 0 between numbers of both signs, otherwise the midpoint in the order of floats. Between 0 and a number,
  /// the first four points are halves, since a solution is seldom tiny.
  private mutating func middle() -> Double {
    if lower.x < 0 && upper.x > 0 { return 0 }
    if lower.x * upper.x == 0, abs(lower.x + upper.x) < .infinity, halvings < 4 {
      halvings += 1
      let half = floats.dtype.rounded(0.5 * (lower.x + upper.x))
      if half > lower.x && half < upper.x { return half }
    }
    return floats.middle(lower.x, upper.x)
  }
}
