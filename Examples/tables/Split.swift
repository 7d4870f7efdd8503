import ExampleSupport
import Flows
import Foundation

/// A table in two files, rows to train on and rows held out.
///
/// `diamonds` is ggplot2's table of 53,940 diamonds (MIT), `penguins` palmerpenguins (Horst, Hill & Gorman;
/// CC0). Both are as distributed with plotnine. `customers` is drawn from a known density.
struct Split {
  static let names = ["diamonds", "penguins", "customers"]

  let training, heldOut: TextTable
  /// The mean log-density of the held-out rows under the density they were drawn from.
  let truth: Double?

  /// Draws the split, and writes `NAME-train.csv` and `NAME-test.csv` to a folder.
  ///
  /// A fifth as many rows are held out as there are rows to train on.
  init(_ name: String, rows: Int, _ key: Key, folder: String) throws {
    let (header, lines, truth) = try Self.lines(name, rows: rows * 6 / 5, key)
    let training = lines.count * 5 / 6
    func table(_ part: String, _ lines: ArraySlice<String>) throws -> TextTable {
      let path = "\(folder)/\(name)-\(part).csv"
      let text = ([header] + lines).joined(separator: "\n") + "\n"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(filePath: path))
      return try TextTable.read(path)
    }
    self.training = try table("train", lines[..<training])
    heldOut = try table("test", lines[training...])
    self.truth = truth.map { truth in
      let own = truth[training...]
      return own.reduce(0, +) / Double(own.count)
    }
  }

  /// The header, some rows in random order, and the log-density of each where it is known.
  private static func lines(
    _ name: String, rows: Int, _ key: Key
  ) throws -> (header: String, lines: [String], truth: [Double]?) {
    if name == "customers" {
      let drawn = KnownTable.draw(key, count: rows)
      return (KnownTable.header, drawn.map(\.text), drawn.map(\.logDensity))
    }
    let file = name == "diamonds" ? ("diamonds.csv", "gz") : (name, "csv")
    guard let path = Bundle.module.path(forResource: file.0, ofType: file.1) else {
      throw FlowError.file(path: name, row: nil, column: nil, message: "not found beside the program")
    }
    let table = try TextTable.read(path)
    let chosen = key.permutation(table.rows).prefix(rows)
    let lines = chosen.map { row in
      (0..<table.names.count).map { table.text(row: row, column: $0) }.joined(separator: ",")
    }
    return (table.names.joined(separator: ","), lines, nil)
  }
}
