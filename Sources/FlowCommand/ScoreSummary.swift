import Flows

/// The summary of the log-likelihoods of rows.
struct ScoreSummary {
  private let count: Int
  /// Whether the scores are lower bounds.
  private let isBound: Bool
  private let mean, error, median: Double
  private let worst: [(index: Int, score: Double, origin: (file: String, row: Int))]
  /// The rows with density 0.
  let impossible: Int

  /// Summarizes scores, none of which is NaN, and finds the lowest.
  init(_ logDensities: Tensor, worst most: Int, of file: TableFile, isBound: Bool = false) {
    self.isBound = isBound
    let scores = logDensities.doubles
    count = scores.count
    mean = logDensities.mean().item
    let spread = scores.reduce(0) { [mean] in $0 + ($1 - mean) * ($1 - mean) }
    error = count > 1 ? (spread / Double(count - 1) / Double(count)).squareRoot() : .nan
    let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
    let middle = (scores[order[(count - 1) / 2]], scores[order[count / 2]])
    median = middle.0 == middle.1 ? middle.0 : (middle.0 + middle.1) / 2
    worst = order.prefix(most).map { ($0, scores[$0], file.origin(ofRow: $0)) }
    impossible = scores.count { $0 == -.infinity }
  }

  /// The lines for people, with as many digits as the standard error allows.
  var text: String {
    let places = error > 0 && error.isFinite ? decimalPlaces(showing: error) : 3
    func shown(_ x: Double) -> String { fixed(x, places: places) }
    var lines = [
      "mean log-likelihood \(isBound ? "at least " : "")\(shown(mean))"
        + (error.isFinite ? " ± \(shown(error))" : "")
        + " nats over \(counted(count, "row")), median \(shown(median))"
    ]
    if !worst.isEmpty {
      let rows = worst.map { "\($0.origin.file), row \($0.origin.row): \(fixed($0.score, places: 3))" }
      lines.append("least likely: " + rows.joined(separator: "; "))
    }
    return lines.joined(separator: "\n")
  }

  /// The result for programs. Numbers that are not finite are null.
  var json: JSON {
    [
      "mean_log_likelihood": .number(mean), "standard_error": .number(error), "median": .number(median),
      "count": .integer(count), "impossible": .integer(impossible),
      "worst": .array(
        worst.map {
          [
            "index": .integer($0.index), "file": .string($0.origin.file), "row": .integer($0.origin.row),
            "log_likelihood": .number($0.score),
          ]
        }),
    ]
  }
}

/// The decimal places that show two digits of a positive number, at most 12.
private func decimalPlaces(showing number: Double) -> Int {
  var (places, power) = (0, 1.0)
  while number * power < 9.5, places < 12 { (places, power) = (places + 1, power * 10) }
  return places
}

/// A number with a fixed count of decimal places.
func fixed(_ x: Double, places: Int) -> String {
  var power = 1.0
  for _ in 0..<places { power *= 10 }
  guard x.isFinite, abs(x) * power < 9e15 else { return "\(x)" }
  let digits = String(Int((abs(x) * power).rounded()))
  let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
  let (whole, fraction) = (padded.dropLast(places), padded.suffix(places))
  let isZero = !digits.contains { $0 != "0" }
  return (x < 0 && !isZero ? "-" : "") + whole + (places > 0 ? "." + fraction : "")
}
