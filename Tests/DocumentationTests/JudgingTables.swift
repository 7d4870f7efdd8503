import Flows

/// The code of the article JudgingTables, block by block to the letter.
// swift-format-ignore
func judgingTables() throws -> (quality: Double, protection: Double, logistic: Double, pictures: [String]) {
  // block 1
  func table(_ names: String, _ rows: [String]) throws -> TextTable {
    try TextTable.parse(([names] + rows).joined(separator: "\n"))
  }
  let real = try table(
    "size,cut", (0..<40).map { "\(20 + Double($0 * 7 % 37) / 3),\($0 % 3 == 0 ? "fair" : "ideal")" })
  let synthetic = try table(
    "size,cut", (0..<30).map { "\(21 + Double($0 * 5 % 31) / 3),\($0 % 4 == 0 ? "fair" : "ideal")" })
  let tables = try ComparedTable.aligned([real, synthetic])

  let quality = TableQuality(real: tables[0], synthetic: tables[1])
  print(quality.score, quality.columnShapes, quality.pairTrends)
  for column in quality.columns { print(column.name, column.score) }
  // end
  // block 2
  let distances = RecordDistances(of: tables[1], training: tables[0], key: Key(0))
  print(distances.medianToTraining, distances.baselineProtection)
  // end
  // block 3
  let settings = TwoSampleTest.Settings(folds: 2, steps: 20)
  let test = try TwoSampleTest(real: tables[0], synthetic: tables[1], settings: settings, key: Key(1))
  print(test.logistic, test.network)
  // end
  // block 4
  let numbers = MarginalsPlot.Panel.numbers("size", [[20, 21, 25], [22, 24, 24]], note: "0.97")
  let shares = MarginalsPlot.Panel.categories("cut", ["fair", "ideal"], [[0.3, 0.7], [0.25, 0.75]])
  let columns = MarginalsPlot("Columns", series: ["real", "synthetic"], panels: [numbers, shares])
  let pairs = HeatMap("Pairs", names: ["size", "cut"], values: [[0.97, 0.9], [0.9, 0.95]], range: 0...1)
  // end
  return (quality.score, distances.baselineProtection, test.logistic, [columns.svg, pairs.svg])
}
