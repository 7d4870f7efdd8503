import Arguments
import FittedModels
import Flows

// The picture of `flow score`: the shares of a model's draws below the rows' numbers.
extension ScoreCommand {
  private static let mostColumns = 6

  /// A plot of the shares of the model's draws below the first six columns of each row, which are uniform for
  /// a correct model. The rows are standardized.
  static func calibration(_ model: Model, _ rows: Tensor, _ context: Tensor?) throws -> CalibrationPlot {
    let (draws, width) = (200, min(model.width, mostColumns))
    let sample = try model.functions(model.dtype).sample
    let names = (0..<width).map { model.columns?[$0] ?? "column \($0 + 1)" }
    func columns(_ rows: Tensor) -> [[Double]] {
      (0..<width).map { rows.sliced(axis: 1, $0..<$0 + 1).doubles }
    }
    guard let context else {
      // Without a context all rows share their draws, more of them.
      let x = try sample(Key(0), model.innerParams(), count: 50 * draws)
      return calibration(of: columns(rows), by: columns(x), names)
    }
    let ranks = try calibrationRanks(
      of: sample, model.innerParams(), truths: rows, given: context, key: Key(0), draws: draws)
    let shown = ranks.sliced(axis: 1, 0..<width).cast(to: .float64)
    return CalibrationPlot(title(rows.rows), pit: (shown + 0.5) / Double(draws + 1), names: names)
  }

  /// The same plot for the first six columns of numbers of a mixed table. Missing numbers are
  /// left out.
  static func calibration(_ mixed: MixedModel, _ table: TextTable) throws -> CalibrationPlot {
    let columns = mixed.schema.drawn.prefix(mostColumns)
    guard !columns.isEmpty else {
      throw UsageError("--picture shows columns of numbers, and the model has none")
    }
    let names = columns.map { mixed.schema.names[$0] }
    let values = names.map { name in
      let position = table.names.firstIndex(of: name)!
      return (0..<table.rows).map { row in
        if case .number(let x) = table.value(row: row, column: position) { x } else { Double.nan }
      }
    }
    let draws = try mixed.model.sample(Key(0), count: 10_000)
    return calibration(
      of: values, by: columns.map { draws.columns[$0].compactMap { $0.flatMap(Double.init) } }, names)
  }

  private static func calibration(
    of rows: [[Double]], by draws: [[Double]], _ names: [String]
  ) -> CalibrationPlot {
    let columns = zip(rows, draws).enumerated().map { shares(of: $1.0, in: $1.1, Key(1).folded(in: $0)) }
    return CalibrationPlot(title(rows[0].count), pit: stack(columns, axis: 1), names: names)
  }

  /// The share of draws below each value. A value that draws have as well is at a random place among them,
  /// so that the shares are uniform too.
  static func shares(of values: [Double], in draws: [Double], _ key: Key) -> Tensor {
    let sorted = draws.sorted()
    let places = key.uniform([values.count], dtype: .float64).doubles
    let shares = zip(values, places).map { value, place -> Double in
      guard !value.isNaN else { return .nan }
      let below = sorted.partition { $0 >= value }
      let ties = sorted.partition { $0 > value } - below
      return (Double(below) + place * Double(ties + 1)) / Double(sorted.count + 1)
    }
    return Tensor(shares, dtype: .float64)
  }

  private static func title(_ rows: Int) -> String { "Calibration of \(counted(rows, "row"))" }
}

extension [Double] {
  /// The number of elements of a sorted array before the first one that fulfils a condition.
  fileprivate func partition(_ isPast: (Double) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isPast(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
