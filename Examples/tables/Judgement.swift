import ExampleSupport
import Flows

/// The likeness of synthetic rows to held-out ones.
struct Judgement {
  let quality: TableQuality
  let distances: RecordDistances
  let classifiers: TwoSampleTest

  init(_ synthetic: TextTable, of split: Split, _ key: Key) throws {
    let tables = try ComparedTable.aligned([split.training, split.heldOut, synthetic])
    // All pairs count, with bins of the held-out rows.
    quality = TableQuality(
      real: tables[1], synthetic: tables[2], thresholds: .init(correlation: 0, association: 0),
      binning: .ofRealTable)
    // As many rows of each, so that a half of the draws is closer to the training rows by chance.
    let training = tables[0].sample(key.folded(in: 0), rows: tables[1].rows)
    distances = RecordDistances(of: tables[2], training: training, heldOut: tables[1], key: key.folded(in: 1))
    classifiers = try TwoSampleTest(real: tables[1], synthetic: tables[2], key: key.folded(in: 2))
  }

  static let header =
    column("rows of", 22) + column("shapes", 9) + column("pairs", 9) + column("quality", 10)
    + column("AUC", 9) + "closer to training"

  /// The numbers of a line.
  var numbers: [String: Double] {
    [
      "shapes": quality.columnShapes, "pairs": quality.allPairTrends, "auc": classifiers.network,
      "closer_to_training": distances.shareCloserToTraining ?? .nan,
    ]
  }

  func line(_ name: String) -> String {
    let share = distances.shareCloserToTraining ?? .nan
    return column(name, 22) + column(decimals(quality.columnShapes, 3), 9)
      + column(decimals(quality.allPairTrends, 3), 9)
      + column(decimals((quality.columnShapes + quality.allPairTrends) / 2, 3), 10)
      + column(decimals(classifiers.network, 3), 9) + decimals(share, 3)
  }
}
