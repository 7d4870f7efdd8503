/// A tick at the exact decimal number `digits` · 10^`exponent`.
struct Tick: Hashable {
  let digits, exponent: Int

  /// The nearest double.
  var value: Double { Double("\(digits)e\(exponent)") ?? 0 }

  /// About `count` ticks within a range, at least two. Their distance is 1, 2 or 5 times a power of ten.
  ///
  /// - Precondition: The range is finite, and its width is at least 1e-12 of the size of its ends.
  static func linear(in range: ClosedRange<Double>, count: Int) -> [Tick] {
    let wanted = (range.upperBound - range.lowerBound) / Double(max(count, 2))
    var exponent = floorLog10(wanted)
    // This is the smallest of 1, 2, 5 and 10 that gives at most the wanted number of ticks.
    var factor = [1, 2, 5].first { Double($0) * powerOfTen(exponent) >= wanted * 0.999 } ?? 10
    if factor == 10 { (factor, exponent) = (1, exponent + 1) }

    var ticks: [Tick] = []
    while true {
      let step = Double(factor) * powerOfTen(exponent)
      let slack = 1e-9 * (range.upperBound - range.lowerBound) / step
      let first = Int((range.lowerBound / step - slack).rounded(.up))
      let last = Int((range.upperBound / step + slack).rounded(.down))
      ticks = first <= last ? (first...last).map { Tick(digits: $0 * factor, exponent: exponent) } : []
      if ticks.count >= 2 { return ticks }
      // The step is too wide for this range, so the next smaller one is tried.
      (factor, exponent) = factor == 1 ? (5, exponent - 1) : (factor / 2, exponent)
    }
  }

  /// Ticks at powers of ten between 10^lower and 10^upper; also at 2 and 5 times them if the range has few
  /// powers.
  ///
  /// - Precondition: The ends are between -310 and 310 and at least 0.7 apart.
  static func logarithmic(in range: ClosedRange<Double>, count: Int) -> [Tick] {
    let decades = Int((range.lowerBound - 1e-9).rounded(.down))...Int((range.upperBound + 1e-9).rounded(.up))
    let wide = (range.lowerBound - 1e-9)...(range.upperBound + 1e-9)
    let inside = decades.filter { wide.contains(Double($0)) }
    if inside.count >= 3 {
      let stride = max(1, (inside.count + count - 1) / max(count, 1))
      return inside.filter { $0 % stride == 0 }.map { Tick(digits: 1, exponent: $0) }
    }
    let logarithms = [(1, 0), (2, 0.301_029_995_663_981_2), (5, 0.698_970_004_336_018_8)]
    return decades.flatMap { exponent in
      logarithms.compactMap { digits, logarithm in
        wide.contains(Double(exponent) + logarithm) ? Tick(digits: digits, exponent: exponent) : nil
      }
    }
  }

  /// The labels of ticks: decimals, or multiples of powers of ten if these are shorter than long decimals.
  static func labels(_ ticks: [Tick]) -> [String] {
    let longest =
      ticks.map { max(0, $0.exponent) + String($0.digits).count + max(0, -$0.exponent) }.max() ?? 0
    guard longest <= 60 else { return ticks.map(\.scientific) }
    let (decimals, multiples) = (ticks.map(\.decimal), ticks.map(\.scientific))
    func length(_ labels: [String]) -> Int { labels.map(\.count).max() ?? 0 }
    return length(decimals) <= max(6, length(multiples)) ? decimals : multiples
  }

  /// The label as a decimal, such as `0.05` and `1500`.
  private var decimal: String {
    guard digits != 0 else { return "0" }
    let sign = digits < 0 ? "−" : ""
    let magnitude = String(abs(digits))
    guard exponent < 0 else { return sign + magnitude + String(repeating: "0", count: exponent) }
    let padded = String(repeating: "0", count: max(0, 1 - exponent - magnitude.count)) + magnitude
    return sign + padded.dropLast(-exponent) + "." + padded.suffix(-exponent)
  }

  /// The label as a multiple of a power of ten, such as `1.5×10⁻⁷` and `10⁹`.
  private var scientific: String {
    guard digits != 0 else { return "0" }
    var magnitude = String(abs(digits))
    let power = exponent + magnitude.count - 1
    while magnitude.count > 1, magnitude.hasSuffix("0") { magnitude.removeLast() }
    let mantissa = magnitude.count == 1 ? magnitude : "\(magnitude.prefix(1)).\(magnitude.dropFirst())"
    let raised = String(power).map { superscripts[$0] ?? String($0) }.joined()
    return (digits < 0 ? "−" : "") + (mantissa == "1" ? "" : mantissa + "×") + "10" + raised
  }
}

private let superscripts: [Character: String] = [
  "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸",
  "9": "⁹",
]

/// Computes 10^exponent, correctly rounded.
func powerOfTen(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? .nan }

/// Computes ⌊log₁₀ number⌋ of a positive number.
func floorLog10(_ number: Double) -> Int {
  var exponent = Int((Double(number.exponent) * 0.30103).rounded(.down))
  while powerOfTen(exponent + 1) <= number { exponent += 1 }
  while powerOfTen(exponent) > number { exponent -= 1 }
  return exponent
}
