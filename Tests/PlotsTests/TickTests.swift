import FuzzSupport
import Testing

@testable import Plots

@Suite struct TickTests {
  @Test(
    arguments: [
      (0...1, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
      (-1.6...2.6, ["−1", "0", "1", "2"]),
      (0...0.0007, ["0", "0.0002", "0.0004", "0.0006"]),
      (57...123, ["60", "80", "100", "120"]),
      (0...300_000, ["0", "100000", "200000", "300000"]),
      (0...1.2e7, ["0", "5×10⁶", "10⁷"]),
      (1e-7...3e-7, ["10⁻⁷", "1.5×10⁻⁷", "2×10⁻⁷", "2.5×10⁻⁷", "3×10⁻⁷"]),
      (9_998_900...10_001_200, ["9999000", "9999500", "10000000", "10000500", "10001000"]),
    ] as [(ClosedRange<Double>, [String])])
  func linearTicksAreRound(range: ClosedRange<Double>, labels: [String]) {
    #expect(Tick.labels(Tick.linear(in: range, count: 5)) == labels)
  }

  @Test(
    arguments: [
      (-3...0, ["0.001", "0.01", "0.1", "1"]),
      (-12...4, ["10⁻¹²", "10⁻⁸", "10⁻⁴", "10⁰", "10⁴"]),
      (0.1...1.2, ["2", "5", "10"]),
      (5.1...6.9, ["2×10⁵", "5×10⁵", "10⁶", "2×10⁶", "5×10⁶"]),
    ] as [(ClosedRange<Double>, [String])])
  func logarithmicTicksAreRound(range: ClosedRange<Double>, labels: [String]) {
    #expect(Tick.labels(Tick.logarithmic(in: range, count: 5)) == labels)
  }

  /// Of any data whatever, an axis shows between two and a dozen ticks, inside and rising.
  @Test(arguments: [AxisScale.linear, .logarithmic])
  func everyAxisHasTicks(scale: AxisScale) {
    var generator = Generator(seed: 3)
    let special: [Double] = [
      0, -0.0, 1, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e300,
      -1e300, 1e-300,
    ]
    for _ in 0..<2_000 {
      let values = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
        Bool.random(using: &generator)
          ? special.randomElement(using: &generator)! : Double(bitPattern: generator.next())
      }
      let axis = Axis(covering: values, scale: scale, margin: 0.04, label: "")
      let fractions = axis.fractions(of: axis.ticks(count: 5).map(\.value))
      #expect((2...12).contains(fractions.count), "\(values)")
      #expect(zip(fractions, fractions.dropFirst()).allSatisfy { $0 < $1 }, "\(values)")
    }
  }
}
