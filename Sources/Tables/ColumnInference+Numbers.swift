import Files
import Tensors

// The spelling, the rounding, the frequent values and the map of a column of numbers.
extension ColumnInference {
  /// The decimals of numbers as the table has them.
  func spelling(_ present: [Int]) -> NumberScale.Spelling {
    let places = present.map { i -> Int in
      let text = fields[i].text.utf8
      guard !text.contains(where: { $0 == 0x65 || $0 == 0x45 }) else { return 17 }
      guard let mark = text.lastIndex(where: { $0 == 0x2E || $0 == 0x2C }) else { return 0 }
      return text.distance(from: mark, to: text.endIndex) - 1
    }
    let most = min(places.max() ?? 0, 15)
    return .decimal(places: most, isFixed: most > 0 && places.allSatisfy { $0 == most })
  }

  func scale(
    _ numbers: [Double], _ spelling: NumberScale.Spelling, _ kind: ColumnKind
  ) throws(FlowError) -> NumberScale {
    var scale = NumberScale(spelling: spelling, step: 0)
    var counts: [Double: Int] = [:]
    for x in numbers { counts[x, default: 0] += 1 }
    var places = 0
    if case .decimal(let own, _) = spelling { places = own }
    // Among numbers of many decimals one that recurs is no chance.
    scale.spikes = Array(
      counts.filter { ($0.value * 20 > numbers.count || places > 6) && $0.value > 2 }
        .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key).prefix(20))
    let ordinary = numbers.filter { !scale.spikes.contains($0) }
    let ties = ordinary.count - Set(ordinary).count
    if kind != .continuous || ties > 0 && (places <= 4 || ties * 100 >= ordinary.count) {
      scale.step = commonStep(numbers, places: places) ?? (kind == .continuous ? 0 : 1)
    }
    (scale.least, scale.most) = (numbers.min()!, numbers.max()!)
    // Numbers of 2⁵¹ steps and more have no digits for the ends of their cells.
    let top = scale.step * 0x1p51
    if top < max(abs(scale.least), abs(scale.most)) {
      // Whole numbers beside it would lose their cells.
      let others = numbers.count { abs($0) < top }
      if kind == .integer, others > numbers.count / 2 { throw tooWide(numbers) }
      scale.step = 0
    }
    if let bounds = options.bounds[name] {
      if kind == .date {
        throw refused("expected --bounds of a column of numbers, got \(shown), one of dates")
      }
      if bounds.lowerBound.isFinite { scale.lower = bounds.lowerBound }
      if bounds.upperBound.isFinite { scale.upper = bounds.upperBound }
      if let i = fields.indices.first(where: { fields[$0].number.map { !scale.isWithinBounds($0) } ?? false })
      {
        throw table.error(
          row: rows[i], column: position,
          "expected a number in the --bounds of \(shown), got \(excerpt(fields[i].text))")
      }
    }
    if options.logs.contains(name), scale.least <= 0 {
      throw refused(
        "expected positive numbers in \(shown), whose log is modelled, got \(spelled(scale.least))")
    }
    let isAboveZero = kind != .date && scale.least >= 0
    scale.chooseCurve(
      ordinary.isEmpty ? numbers : ordinary, floor: scale.lower ?? (isAboveZero ? 0 : nil),
      isLog: options.logs.contains(name))
    guard scale.separates(ordinary) else { throw tooWide(numbers) }
    (scale.least, scale.most) = (scale.lower ?? scale.least, scale.upper ?? scale.most)
    return scale
  }

  /// The error of numbers so far apart that the others cannot be told from each other beside the largest.
  private func tooWide(_ numbers: [Double]) -> FlowError {
    let middle = numbers.sorted()[numbers.count / 2]
    func distance(_ i: Int) -> Double { fields[i].number.map { abs($0 / 2 - middle / 2) } ?? -1 }
    let farthest = fields.indices.max { distance($0) < distance($1) } ?? 0
    return table.error(
      row: rows[farthest], column: position,
      "expected numbers of one scale in \(shown), got \(excerpt(fields[farthest].text)), beside which "
        + "the others are alike; correct or remove the row, or \(advice(orType: false))")
  }

  /// The largest number whose multiples all numbers are; nil if it is too small to tell.
  private func commonStep(_ numbers: [Double], places: Int) -> Double? {
    let power = (0..<places).reduce(1.0) { product, _ in product * 10 }
    var divisor: Int64 = 0
    for x in numbers {
      let scaled = (abs(x) * power).rounded()
      guard scaled < 9e15 else { return nil }
      var (a, b) = (divisor, Int64(scaled))
      while b != 0 { (a, b) = (b, a % b) }
      divisor = a
      if divisor == 1 { break }
    }
    return divisor == 0 ? nil : Double(divisor) / power
  }

  /// The numbers of some fields by falling frequency, each in its most frequent spelling with a point.
  func numberLevels(_ present: [Int]) -> [String] {
    var counts: [Double: [String: Int]] = [:]
    for i in present {
      let number = fields[i].number ?? .nan
      let text = Double(fields[i].text) == number ? fields[i].text : spelled(number)
      counts[number, default: [:]][text, default: 0] += 1
    }
    let sorted = counts.sorted { a, b in
      let (more, less) = (a.value.values.reduce(0, +), b.value.values.reduce(0, +))
      return (less, a.key) < (more, b.key)
    }
    return sorted.map { $0.value.max { ($0.value, $1.key) < ($1.value, $0.key) }!.key }
  }
}
