/// Bins that divide the real line, in rising order.
protocol RangeBins {
  var count: Int { get }
  /// The bin of a finite number.
  func index(_ x: Double) -> Int
  /// The span of neighbouring bins.
  func span(_ first: Int, _ last: Int) -> ClosedRange<Double>
}

/// A bin for each sign and power of two from 2⁻⁶⁴ to 2⁶⁴, and one for 0 in the middle. Numbers beyond are in
/// the nearest bin.
struct PowerBins: RangeBins {
  private static let powers = 128

  var count: Int { 2 * Self.powers + 1 }

  func index(_ x: Double) -> Int {
    let middle = Self.powers
    if abs(x) < 0x1p-64 { return middle }
    let power = min(Int(x.exponent) + 64, Self.powers - 1)
    return x > 0 ? middle + 1 + power : middle - 1 - power
  }

  func span(_ first: Int, _ last: Int) -> ClosedRange<Double> {
    let middle = Self.powers
    // A range needs some width where all rows are 0.
    if first == middle && last == middle { return -0x1p-64...0x1p-64 }
    return (first == middle ? 0 : edge(first))...(last == middle ? 0 : edge(last + 1))
  }

  /// The lower end of a bin.
  private func edge(_ bin: Int) -> Double {
    let distance = bin - Self.powers
    return distance > 0
      ? Double(sign: .plus, exponent: distance - 65, significand: 1)
      : Double(sign: .minus, exponent: -distance - 64, significand: 1)
  }
}

/// Bins of equal width. Numbers beyond the span are in the nearest bin.
struct EqualBins: RangeBins {
  let all: ClosedRange<Double>
  let count = 32

  init(span: ClosedRange<Double>) { all = span }

  private var width: Double { (all.upperBound - all.lowerBound) / Double(count) }

  func index(_ x: Double) -> Int {
    Int(min(max((x - all.lowerBound) / width, 0), Double(count) - 0.5))
  }

  func span(_ first: Int, _ last: Int) -> ClosedRange<Double> {
    all.lowerBound + Double(first) * width...all.lowerBound + Double(last + 1) * width
  }
}
