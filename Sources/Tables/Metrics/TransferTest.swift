import Networks
import Randomness
import Tensors
import Training

/// The usefulness of synthetic rows for a prediction: a network that is trained on them is judged on real
/// rows (train on synthetic, test on real).
///
/// ```swift
/// let test = try TransferTest("price", real: heldOut, synthetic: synthetic, training: training, key: Key(0))
/// print(test.synthetic, test.training)  // equal: the synthetic rows are as useful as the training rows
/// ```
///
/// The network predicts one column from all others. For numbers the score is R², 1 minus the squared error
/// over the variance. For categories it is the mean AUC of each category against the others. Rows with a
/// missing value in the column are left out, and so are categories beyond the 30 most frequent.
///
/// Esteban, Hyland & Rätsch 2017, *Real-valued (medical) time series generation with recurrent conditional
/// GANs*, arXiv 1706.02633, section 4.2.
public struct TransferTest: Sendable {
  /// The score on real rows after training on synthetic rows.
  public let synthetic: Double
  /// The score on real rows after training on as many training rows.
  public let training: Double
  /// Whether the scores are R², for a column of numbers.
  public let isNumeric: Bool

  /// Trains and judges two networks, each on as many rows. A score is NaN if a table has fewer than four rows
  /// to use, or if the real rows have one value.
  ///
  /// - Parameters:
  ///   - target: the name of the column to predict.
  ///   - real: rows that neither table depends on.
  ///   - settings: the rows, the steps and the widths; there are no folds.
  ///   - key: the key of the rows and the training. The same key gives the same bits.
  /// - Throws: `FlowError.mismatch` if no column has the name; `CancellationError` if the task is cancelled.
  /// - Precondition: The tables have the same columns.
  public init(
    _ target: String, real: ComparedTable, synthetic: ComparedTable, training: ComparedTable,
    settings: TwoSampleTest.Settings = .init(), key: Key
  ) throws {
    real.requireLike(synthetic)
    real.requireLike(training)
    guard let column = real.columns.firstIndex(where: { $0.name == target }) else {
      throw FlowError.mismatch(
        who: "TransferTest", what: "a column", expected: real.columns.map(\.name).joined(separator: ", "),
        got: target)
    }
    let whole = [real, synthetic, training]
    let labels = PredictedColumn([real, training].map { $0.columns[column].values })
    isNumeric = labels.isNumeric
    let used = whole.map { table in labels.usableRows(of: table.columns[column].values) }
    let count = min(used[1].count, used[2].count, settings.rows)
    guard count >= 4, used[0].count >= 4 else {
      (self.synthetic, self.training) = (.nan, .nan)
      return
    }
    let limits = [settings.rows, count, count]
    let tables = whole.indices.map { i in
      whole[i].choosing(used[i]).sample(key.folded(in: i), rows: limits[i])
    }
    let targets = tables.map { labels.targets($0.columns[column].values) }
    func score(_ table: Int) throws -> Double {
      // The other table makes no difference.
      let features = TableFeatures.of([tables[0], tables[table]], without: column)
      let isNumeric = labels.isNumeric
      let network = try trained(
        MLP(hidden: settings.hidden), features[1], targets[table], steps: settings.steps,
        key: key.folded(in: 2 + table)
      ) { outputs, y in
        isNumeric
          ? square(outputs - y).sumPerRow() : outputs.logSumExp(axis: -1) - (outputs * y).sumPerRow()
      }
      return labels.score(network(features[0]), targets[0])
    }
    self.synthetic = try score(1)
    self.training = try score(2)
  }
}

/// The column that networks predict: standardized numbers, or one number for each category.
private struct PredictedColumn {
  let isNumeric: Bool
  private let mean, deviation: Double
  private let levels: [String]

  init(_ columns: [ComparedTable.Values]) {
    let numbers = columns.flatMap(\.numbers)
    let categories = columns.flatMap(\.categories)
    isNumeric = categories.isEmpty
    (mean, deviation) = TableFeatures.moments(numbers)
    levels = TableFeatures.levels(of: categories.filter { $0 != nil }).compactMap { $0 }
  }

  func usableRows(of values: ComparedTable.Values) -> [Int] {
    switch values {
    case .numbers(let own): return own.indices.filter { !own[$0].isNaN }
    case .categories(let own):
      let known = Set(levels)
      return own.indices.filter { own[$0].map(known.contains) ?? false }
    }
  }

  func targets(_ values: ComparedTable.Values) -> Tensor {
    switch values {
    case .numbers(let own):
      let scale = deviation > 0 ? 1 / deviation : 0
      return Tensor(own.map { ($0 - mean) * scale }, shape: [own.count, 1])
    case .categories(let own):
      return Tensor(
        own.flatMap { value in levels.map { $0 == value ? 1 : 0 } }, shape: [own.count, levels.count])
    }
  }

  /// R², or the mean AUC over the categories that occur beside others.
  func score(_ outputs: Tensor, _ targets: Tensor) -> Double {
    if isNumeric {
      let (a, b) = (outputs.doubles, targets.doubles)
      let spread = TableFeatures.moments(b).deviation
      let error = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(b.count)
      return spread > 0 ? 1 - error / (spread * spread) : .nan
    }
    let areas = levels.indices.map { level in
      TwoSampleTest.areaUnderCurve(
        outputs.sliced(axis: 1, level..<level + 1).doubles,
        targets.sliced(axis: 1, level..<level + 1).doubles.map { $0 == 1 })
    }
    return areas.meanOfPresent
  }
}
