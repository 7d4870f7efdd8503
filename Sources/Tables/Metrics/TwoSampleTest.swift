import Networks
import Randomness
import Tensors
import Training

/// A classifier two-sample test: the accuracy with which classifiers tell real rows from synthetic ones.
///
/// ```swift
/// let test = try TwoSampleTest(real: real, synthetic: synthetic, key: Key(0))
/// print(test.logistic, test.network)  // 0.5: cannot tell; 1: always tells
/// ```
///
/// The accuracy is the area under the ROC curve (AUC): the probability that a synthetic row scores higher
/// than a real one. It is the mean over folds, each judged by classifiers that are trained on the other
/// folds.
///
/// There are two classifiers. Logistic regression sees the means of the features, and so the columns apart. A
/// network with two hidden layers sees relations between columns too. Numbers enter standardized, categories
/// as one number for each of the 30 most frequent, and missing values as a number of their own.
///
/// Lopez-Paz & Oquab 2017, *Revisiting classifier two-sample tests*, arXiv 1610.06545.
public struct TwoSampleTest: Sendable {
  /// The way to train the classifiers.
  public struct Settings: Sendable, Hashable {
    /// The number of folds.
    public var folds: Int
    /// The most rows of each table; more are left out at random.
    public var rows: Int
    /// The steps of one training, with 256 rows each.
    public var steps: Int
    /// The widths of the network's hidden layers.
    public var hidden: [Int]

    /// Settings that take some seconds in an optimized build.
    public init(folds: Int = 5, rows: Int = 5_000, steps: Int = 400, hidden: [Int] = [64, 64]) {
      (self.folds, self.rows, self.steps, self.hidden) = (folds, rows, steps, hidden)
    }
  }

  /// The mean AUC of logistic regression over the folds.
  public let logistic: Double
  /// The mean AUC of the network over the folds.
  public let network: Double

  /// Trains and judges the classifiers on as many real as synthetic rows. With fewer than four rows in a
  /// table both AUCs are NaN.
  ///
  /// - Parameter key: the key of the rows, the folds and the training. The same key gives the same bits.
  /// - Throws: `CancellationError` if the task is cancelled.
  /// - Precondition: The tables have the same columns, and all settings are positive, with two folds or more.
  public init(
    real: ComparedTable, synthetic: ComparedTable, settings: Settings = Settings(), key: Key
  ) throws {
    real.requireLike(synthetic)
    require(
      settings.folds > 1 && settings.rows > 0 && settings.steps > 0,
      "TwoSampleTest: positive settings and two folds, got \(settings)")
    let count = min(real.rows, synthetic.rows, settings.rows)
    guard count >= 4 else {
      (logistic, network) = (.nan, .nan)
      return
    }
    let tables = [real, synthetic].enumerated().map { i, table in
      table.sample(key.folded(in: i), rows: count)
    }
    let x = TwoSampleFeatures.of(tables[0], tables[1])
    let y = Tensor((0..<2 * count).map { $0 < count ? 0 : 1 }, shape: [2 * count, 1])
    // Rows are in random order, so row i of either table can be in fold i modulo the number of folds.
    let folds = min(settings.folds, count / 2)
    func score(_ network: MLP, _ key: Key) throws -> Double {
      var sum = 0.0
      for fold in 0..<folds {
        let isHeldOut = (0..<2 * count).map { $0 % count % folds == fold }
        let heldOut = isHeldOut.indices.filter { isHeldOut[$0] }
        let training = isHeldOut.indices.filter { !isHeldOut[$0] }
        let scores = try Self.trained(
          network, x.rows(training), y.rows(training), settings.steps, key.folded(in: fold),
          judging: x.rows(heldOut))
        sum += Self.areaUnderCurve(scores, heldOut.map { $0 >= count })
      }
      return sum / Double(folds)
    }
    logistic = try score(MLP(hidden: []), key.folded(in: 2))
    network = try score(MLP(hidden: settings.hidden), key.folded(in: 3))
  }

  /// Trains a network on labels 0 and 1, and returns its logits of other rows.
  private static func trained(
    _ network: MLP, _ x: Tensor, _ y: Tensor, _ steps: Int, _ key: Key, judging rows: Tensor
  ) throws -> [Double] {
    let (initial, apply) = try network(key.folded(in: 0), inputDim: x.shape.sample, outputDim: 1)
    var params = initial
    let optimizer = AdamW(
      learningRate: .cosine(0.01, steps: steps), weightDecay: 0.01, decayed: .matrices)
    var state = optimizer.initialize(params)
    var (order, next, epoch) = ([Int](), 0, 0)
    for _ in 0..<steps {
      if Task.isCancelled { throw CancellationError() }
      if next >= order.count {
        epoch += 1
        (order, next) = (key.folded(in: epoch).permutation(x.rows), 0)
      }
      let batch = Array(order[next..<min(next + 256, order.count)])
      next += batch.count
      let (_, gradient) = try valueAndGradient(at: params, over: x.rows(batch), given: y.rows(batch)) {
        params, x, y in
        let logits = apply(params, x)
        // The cross-entropy of the label: softplus(logit) − y · logit.
        return (softplus(logits) - (y ?? logits) * logits).sumPerRow()
      }
      (params, state) = try optimizer.update(gradient, state, params)
    }
    return apply(params, rows).doubles
  }

  /// The probability that a positive scores higher than a negative; equal scores count half. NaN without
  /// both.
  package static func areaUnderCurve(_ scores: [Double], _ isPositive: [Bool]) -> Double {
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    var (start, below, sum) = (0, 0, 0.0)
    while start < order.count {
      let end = order[start...].firstIndex { scores[$0] > scores[order[start]] } ?? order.count
      let positives = order[start..<end].count { isPositive[$0] }
      let negatives = end - start - positives
      sum += Double(positives) * (Double(below) + Double(negatives) / 2)
      below += negatives
      start = end
    }
    return sum / Double(below * (order.count - below))
  }
}

/// The rows of two tables as numbers for classifiers.
private enum TwoSampleFeatures {
  /// The most categories of a column with a feature of their own.
  static let mostLevels = 30

  /// The features of both tables' rows, one table below the other, in float32.
  static func of(_ real: ComparedTable, _ synthetic: ComparedTable) -> Tensor {
    let columns = zip(real.columns, synthetic.columns).flatMap { a, b -> [[Double]] in
      switch (a.values, b.values) {
      case (.numbers(let a), .numbers(let b)): numbers(a + b)
      case (.categories(let a), .categories(let b)): categories(a + b)
      default: []
      }
    }
    let rows = real.rows + synthetic.rows
    let used = columns.isEmpty ? [[Double](repeating: 0, count: rows)] : columns
    return Tensor((0..<rows).flatMap { row in used.map { $0[row] } }, shape: [rows, used.count])
  }

  /// The standardized numbers, at most 10 deviations from the mean, and whether they are missing.
  private static func numbers(_ values: [Double]) -> [[Double]] {
    let present = values.present
    let mean = values.meanOfPresent
    let variance = present.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(present.count, 1))
    let scale = variance > 0 && variance.isFinite ? 1 / variance.squareRoot() : 0
    var features: [[Double]] = []
    if scale > 0 {
      features.append(values.map { $0.isNaN ? 0 : min(max(($0 - mean) * scale, -10), 10) })
    }
    let missing = values.map { $0.isNaN ? 1.0 : 0 }
    if present.count < values.count && !present.isEmpty { features.append(missing) }
    return features
  }

  /// A number for each frequent category, 1 where a row is of it.
  private static func categories(_ values: [String?]) -> [[Double]] {
    var counts: [String?: Int] = [:]
    for value in values { counts[value, default: 0] += 1 }
    let frequent = counts.sorted { ($1.value, $0.key ?? "") < ($0.value, $1.key ?? "") }.prefix(mostLevels)
    return frequent.map { level in values.map { $0 == level.key ? 1 : 0 } }
  }
}
