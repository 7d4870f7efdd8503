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
    let x = concatenate(TableFeatures.of(tables), axis: 0)
    let y = Tensor((0..<2 * count).map { $0 < count ? 0 : 1 }, shape: [2 * count, 1])
    // Rows are in random order, so row i of either table can be in fold i modulo the number of folds.
    let folds = min(settings.folds, count / 2)
    func score(_ network: MLP, _ key: Key) throws -> Double {
      var sum = 0.0
      for fold in 0..<folds {
        let isHeldOut = (0..<2 * count).map { $0 % count % folds == fold }
        let heldOut = isHeldOut.indices.filter { isHeldOut[$0] }
        let training = isHeldOut.indices.filter { !isHeldOut[$0] }
        let logits = try trained(
          network, x.rows(training), y.rows(training), steps: settings.steps, key: key.folded(in: fold)
        ) { logits, y in
          // The cross-entropy of the label.
          (softplus(logits) - y * logits).sumPerRow()
        }
        sum += Self.areaUnderCurve(logits(x.rows(heldOut)).doubles, heldOut.map { $0 >= count })
      }
      return sum / Double(folds)
    }
    logistic = try score(MLP(hidden: []), key.folded(in: 2))
    network = try score(MLP(hidden: settings.hidden), key.folded(in: 3))
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
