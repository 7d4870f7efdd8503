import Flows
import Foundation
import Testing

@testable import flow

/// `flow compare` on files.
@Suite struct CompareCommandTests {
  /// Rows of a correlated pair, a word and a day; `shift` moves the numbers.
  private func text(_ rows: Int, _ key: Int, shift: Double = 0) -> String {
    let z = Key(key).normal([rows, 2], dtype: .float64).doubles
    return "x,y,word,day\n"
      + (0..<rows).map { row in
        let x = z[2 * row] + shift
        let word = row % 7 == 3 ? "" : x > 0 ? "high" : "low"
        return "\(x),\(x + 0.3 * z[2 * row + 1]),\(word),2024-01-\(10 + row % 9)"
      }.joined(separator: "\n") + "\n"
  }

  private func workplace() throws -> Workplace {
    let place = try Workplace()
    try place.write("real.csv", text(80, 1))
    try place.write("new.csv", text(60, 2, shift: 0.5))
    try place.write("train.csv", text(90, 3))
    return place
  }

  @Test func scoresAsJSON() async throws {
    let place = try workplace()
    defer { place.remove() }
    let result = try await place.json("compare @real.csv @new.csv --train @train.csv --steps 10")
    let tables = try ComparedTable.aligned(["real.csv", "new.csv"].map { try TextTable.read(place[$0]) })
    let quality = TableQuality(real: tables[0], synthetic: tables[1])
    #expect(result["quality"]?.number == quality.score && quality.score < 0.95)
    #expect(result["column_shapes"]?.number == quality.columnShapes)
    #expect(result["pair_trends"]?.number == quality.pairTrends)
    #expect(result["rows"] == 80 && result["synthetic_rows"] == 60 && result["copies"] == 0)
    let columns = try #require(result["columns"]?.array)
    #expect(columns.map { $0["name"]?.string } == ["x", "y", "word", "day"])
    #expect(columns.map { $0["kind"]?.string } == ["numbers", "numbers", "categories", "numbers"])
    #expect(result["pairs"]?.array?.count == 6)
    #expect(result["pairs"]?.array?[0]["strong"] == true)
    for name in ["auc_logistic", "auc_network"] {
      let area = try #require(result[name]?.number)
      #expect(area > 0.3 && area < 0.9, "\(name) \(area)")
    }
    #expect(abs(try #require(result["expected_closer_to_training"]?.number) - 9.0 / 17) < 1e-12)
    let again = try await place.json("compare @real.csv @new.csv --train @train.csv --steps 10")
    #expect(again == result)
    let transfer = try await place.json("compare @real.csv @new.csv --train @train.csv --steps 40 --target y")
    #expect(transfer["target"] == "y" && result["target"] == .null)
    #expect(try #require(transfer["prediction"]?.number) > 0.5)
    #expect(try #require(transfer["prediction_of_training"]?.number) > 0.5)
    let quick = try await place.json("compare @real.csv @real.csv --steps 0 --rows 10")
    #expect(
      quick["auc_network"] == .null && quick["quality"]?.number == 1 && quick["closer_to_training"] == .null)
  }

  @Test func textAndPictures() async throws {
    let place = try workplace()
    defer { place.remove() }
    let outcome = await place.flow("compare @real.csv @new.csv --steps 0 --picture @judged.svg")
    #expect(outcome.code == 0 && outcome.output.hasPrefix("quality 0."), "\(outcome)")
    #expect(outcome.output.contains("x, y") && outcome.output.contains("baseline protection"))
    for name in ["judged.svg", "judged-pairs.svg"] {
      let svg = try String(contentsOfFile: place[name], encoding: .utf8)
      #expect(svg.hasSuffix("</svg>\n") && svg.contains(">word<") && outcome.output.contains(name))
    }
    let folder = await place.flow("compare @real.csv @new.csv --steps 0 --picture \(place.folder)")
    #expect(folder.code == 0)
    for name in ["columns.svg", "pairs.svg"] {
      #expect(FileManager.default.fileExists(atPath: place[name]))
    }
    let numbers = try await place.json("compare @data.npy @data.npy --steps 0 --without #2")
    #expect(numbers["quality"]?.number == 1 && numbers["columns"]?.array?.count == 1)
    let grades = try await place.json("compare @data.npy @data.npy --steps 0 --categorical #2")
    #expect(grades["columns"]?.array?[1]["kind"] == "categories" && grades["warnings"] != nil)
  }

  @Test(arguments: [
    ("@real.csv @other.csv", "expected the columns of"), ("@real.csv @far.csv", "no column in common"),
    ("@real.csv @empty.csv", "expected rows under the header, got none"),
    ("@real.csv @none.csv", "nothing there"), ("@real.csv", "expected SYNTHETIC, got nothing"),
    ("@real.csv @new.csv --without x,y,word,day", "expected columns to compare, got none"),
    ("@real.csv @new.csv --categorical z", "expected a column z"),
    ("@real.csv @new.csv --picture a.png", "expected a name that ends in .svg, or a folder"),
    ("@real.csv @new.csv --target y", "--target goes with --train FILE"),
    ("@real.csv @new.csv --train @train.csv --target z", "expected a column for --target, such as x, got z"),
    ("@real.csv @data.npy", "do not go together"), ("@real.csv @new.csv --rows 0", "a whole number"),
  ]) func refused(_ line: String, _ words: String) async throws {
    let place = try workplace()
    defer { place.remove() }
    try place.write("other.csv", "x,y,word\n1,2,a\n")
    try place.write("far.csv", "a,b\n1,2\n")
    try place.write("empty.csv", "x,y,word,day\n")
    let outcome = await place.flow("compare \(line)")
    let message = outcome.error ?? ""
    #expect(outcome.code == 2 && message.contains(words) && !message.contains("\n"), "\(outcome)")
  }

  /// Any file gives scores or one line, also as JSON.
  @Test func brokenTables() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("sound.csv", "a,b\n1,2\n3,5\n4,4\n")
    var refused = 0
    for (i, table) in BrokenTable.all.enumerated() {
      try FileBytes.write(table.bytes, to: place[table.name])
      let names = i % 2 == 0 ? "@sound.csv @\(table.name)" : "@\(table.name) @sound.csv"
      let outcome = await place.flow("compare \(names) --steps 0")
      let error = outcome.error ?? ""
      #expect(
        outcome.code == (error.isEmpty ? 0 : 2) && error.isEmpty != outcome.output.isEmpty, "\(outcome)")
      #expect(!error.contains { $0.isNewline } && error.count < 800, "\(error)")
      refused += error.isEmpty ? 0 : 1
    }
    #expect(refused > 100)
  }
}
