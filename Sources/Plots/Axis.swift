import Tensors

/// The scale of an axis, linear or logarithmic.
public enum AxisScale: Sendable, Hashable {
  /// Equal differences take equal distances.
  case linear
  /// Equal ratios take equal distances. Only positive numbers are shown.
  case logarithmic
}

/// An axis with its range, scale and label. It gives ticks and the positions of numbers.
struct Axis {
  let scale: AxisScale
  let label: String
  /// The range shown; on a logarithmic axis, that of the decimal logarithms.
  let domain: ClosedRange<Double>

  /// A linear axis that shows exactly a range, or a wider one where the range is too narrow to tell numbers
  /// apart.
  init(_ range: ClosedRange<Double>, label: String) { self.init(colors: range, for: [], label: label) }

  /// Shows all finite values, with a margin at both ends that is a fraction of their range.
  ///
  /// A logarithmic axis leaves out the values that are not positive.
  init(covering values: [Double], scale: AxisScale, margin: Double, label: String) {
    (self.scale, self.label) = (scale, label)
    let places = Axis.places(of: values, scale: scale).filter { !$0.isNaN }
    let lower = places.min() ?? (scale == .linear ? 0 : -1)
    let upper = places.max() ?? (scale == .linear ? 1 : 0)
    let spread = (upper - lower) * margin
    domain = Axis.widened((lower - spread)...(upper + spread), scale: scale)
  }

  /// The axis of a colour map, for a range or else for all values.
  init(colors range: ClosedRange<Double>?, for values: @autoclosure () -> [Double], label: String = "") {
    let shown = range.map { [$0.lowerBound, $0.upperBound] } ?? values()
    self.init(covering: shown, scale: .linear, margin: 0, label: label)
  }

  /// The position of each value as a fraction of the axis' length; NaN for values outside the range.
  func fractions(of values: [Double]) -> [Double] {
    let width = domain.upperBound - domain.lowerBound
    return Axis.places(of: values, scale: scale).map { place in
      let fraction = (place - domain.lowerBound) / width
      return fraction >= -1e-9 && fraction <= 1 + 1e-9 ? fraction : .nan
    }
  }

  /// About `count` ticks at round numbers.
  func ticks(count: Int) -> [Tick] {
    let ticks =
      switch scale {
      case .linear: Tick.linear(in: domain, count: count)
      case .logarithmic: Tick.logarithmic(in: domain, count: count)
      }
    return zip(ticks, fractions(of: ticks.map(\.value))).filter { !$1.isNaN }.map(\.0)
  }

  /// The values, or their decimal logarithms; NaN for values that the scale cannot show.
  ///
  /// Numbers beyond 1e300 count as infinite, so that differences stay finite.
  private static func places(of values: [Double], scale: AxisScale) -> [Double] {
    switch scale {
    case .linear: return values.map { abs($0) <= 1e300 ? $0 : .nan }
    case .logarithmic:
      let positive = values.map { $0 >= 1e-300 && $0 <= 1e300 ? $0 : 1 }
      let logarithms = log(Tensor(doubles: positive, shape: [positive.count])).doubles
      return zip(values, logarithms).map { value, logarithm in
        value >= 1e-300 && value <= 1e300 ? logarithm / 2.302_585_092_994_045_7 : .nan
      }
    }
  }

  /// The range, or a wider one around it if it has no room for two ticks.
  private static func widened(_ range: ClosedRange<Double>, scale: AxisScale) -> ClosedRange<Double> {
    let size = max(abs(range.lowerBound), abs(range.upperBound))
    let least = scale == .logarithmic ? 0.72 : max(size * 1e-9, 1e-290)
    guard range.upperBound - range.lowerBound < least else { return range }
    let center = range.lowerBound + (range.upperBound - range.lowerBound) / 2
    let half = scale == .logarithmic ? 0.36 : size < 1e-290 ? 1 : size / 10
    return (center - half)...(center + half)
  }
}
