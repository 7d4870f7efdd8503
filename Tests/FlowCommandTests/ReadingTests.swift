import Arguments
import FittedModels
import Flows
import Foundation
import Testing

@testable import flow

/// The same rows in every dress give the same model and score.
@Suite struct ReadingTests {
  private let small = "--architecture nsf --layers 1 --hidden 4 --epochs 2 --out @m.safetensors"

  private func text(_ rows: Tensor, _ change: (String) -> String = { $0 }) -> String {
    change(CSV(names: ["height", "weight"], values: rows.cast(to: .float64)).text())
  }

  @Test func everyDressGivesTheSameScore() async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json("fit @plain.csv \(small)")
    let plain = text(place.rows)
    let truth = try await place.json("score @m.safetensors @plain.csv")["mean_log_likelihood"]
    let european = plain.replacing(",", with: ";").replacing(".", with: ",").replacing("\n", with: "\r\n")
    let swapped = plain.split(separator: "\n").map { line in
      line.split(separator: ",").reversed().joined(separator: "\t")
    }
    let indexed = plain.split(separator: "\n").enumerated().map { i, line in
      (i == 0 ? "" : "\(i - 1)") + "," + line
    }
    let quoted = plain.split(separator: "\n").map { line in
      line.split(separator: ",").map { "\"\($0)\"" }.joined(separator: "|")
    }
    try place.write("european.csv", european)
    try place.write("swapped.csv", swapped.joined(separator: "\n"))
    try place.write("indexed.csv", indexed.joined(separator: "\r"))
    try place.write("quoted.txt", "\u{FEFF}" + quoted.joined(separator: "\n"))
    try plain.write(toFile: place["wide.csv"], atomically: true, encoding: .utf16)
    try NPZ(["rows": place.rows, "other": Tensor(1)]).write(to: place["a.npz"])
    let halves = plain.split(separator: "\n")
    try place.write("first.csv", halves[...100].joined(separator: "\n"))
    try place.write("second.csv", (halves[..<1] + halves[101...]).joined(separator: "\n"))
    for files in [
      "@european.csv", "@swapped.csv", "@indexed.csv", "@quoted.txt", "@wide.csv", "@a.npz:rows",
      "@a.npz --array rows", "@first.csv @second.csv",
    ] {
      let score = try await place.json("score @m.safetensors \(files)")
      #expect(score["mean_log_likelihood"] == truth, "\(files)")
    }
    let second = try await place.json("score @m.safetensors @first.csv @second.csv --worst 200")
    let origin = second["worst"]?.array?.first { $0["index"] == 100 }
    #expect(origin?["file"]?.string == place["second.csv"] && origin?["row"] == 2)

    // The index is left out of a fit, with a warning, unless it is asked for.
    let fitted = try await place.json("fit @indexed.csv \(small)")
    #expect(fitted["columns"] == 2 && "\(fitted)".contains("numbers or names the rows"))
    #expect(try await place.json("fit @indexed.csv --without weight \(small)")["columns"] == 1)
    #expect(try await place.json("fit @indexed.csv --columns #1,weight \(small)")["columns"] == 2)
    #expect(try Model.read(place["m.safetensors"]).columns == ["#1", "weight"])
    _ = try await place.json("score @m.safetensors @indexed.csv")
  }

  @Test func vectorsAndColumnsByPosition() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try NPY.write(Key(0).normal([50]), to: place["vector.npy"])
    #expect(try await place.json("fit @vector.npy \(small)")["columns"] == 1)
    #expect(try await place.json("fit @data.npy --context #2 \(small)")["columns"] == 1)
    #expect(try await place.json("score @m.safetensors @data.npy")["count"] == 200)
  }

  /// A header of numbers is data, which a warning says; `--header` decides.
  @Test func headersOfNumbers() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("years.csv", text(place.rows) { "2019,2020\n" + $0.drop { $0 != "\n" }.dropFirst() })
    let auto = await place.flow("fit @years.csv \(small)")
    #expect(auto.warnings.count { $0.contains("has no header: row 1 is data") } == 1)
    #expect(try await place.json("fit @years.csv --header no \(small)")["rows"] == 201)
    let yes = await place.flow("fit @years.csv --header yes \(small)")
    #expect(!yes.warnings.contains { $0.contains("header") })
    // A model's own names are a header.
    #expect(try await place.json("score @m.safetensors @years.csv")["count"] == 200)
  }

  /// One reader looks names up everywhere: commas, quotes, line breaks and blanks in them.
  @Test func namesOfAllKinds() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let rows = text(place.rows).drop { $0 != "\n" }
    try place.write("names.csv", "\"a,\"\"b\",\" c\"" + rows)
    let line =
      ["fit", place["names.csv"], "--without", "\"a,\"\"b\""]
      + small.split(separator: " ").map { $0.hasPrefix("@") ? place[String($0.dropFirst())] : String($0) }
    #expect(await FlowCommand.run(line).code == 0)
    #expect(try Model.read(place["m.safetensors"]).columns == [" c"])
    let given = ["fit", place["names.csv"], "--context", "\"a,\"\"b\""] + line.dropFirst(4)
    #expect(await FlowCommand.run(given).code == 0)
    let model = place["m.safetensors"]
    let drawn = await FlowCommand.run(["sample", model, "--given", "\"a,\"\"b=1000\"", "--count", "2"])
    #expect(drawn.code == 0 && drawn.output.hasPrefix("\" c\"\n"), "\(drawn)")
  }

  @Test(
    arguments: [
      ("c=0.5,c=1", "expected c once in --given, got it twice; flow sample --help says more"),
      ("c=1e300", nil), ("c=nan", nil), ("c", nil), ("\"c=1", nil),
    ] as [(String, String?)])
  func contextsThatMakeNoSense(given: String, message: String?) async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("c.csv", text(place.rows).replacing("height", with: "c"))
    _ = try await place.json("fit @c.csv --context c \(small)")
    let outcome = await place.flow("sample @m.safetensors --count 3 --given \(given)")
    #expect(outcome.code == 2 && outcome.error != nil && outcome.output.isEmpty, "\(outcome)")
    if let message { #expect(outcome.error == message) }
  }

  /// A context far away gives a warning, or an error where the draws are no numbers.
  @Test(arguments: ["nsf", "maf"]) func contextsFarAway(architecture: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json(
      "fit @plain.csv --context height \(small.replacing("nsf", with: architecture))")
    let near = await place.flow("sample @m.safetensors --count 3 --given height=1010")
    #expect(near.code == 0 && near.warnings == [])
    for number in ["2000", "1e20", "1e38"] {
      let far = await place.flow("sample @m.safetensors --count 3 --given height=\(number)")
      #expect(far.warnings.count { $0.contains("standard deviations from the mean") } == 1, "\(far)")
      #expect(far.code == 2 || !far.output.contains("nan") && !far.output.contains("inf"), "\(far)")
    }
  }

  /// A remark names the files that it holds for.
  @Test func remarksNameTheirFiles() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let rows = place.rows.doubles
    let lines = (0..<200).map { i in "\(rows[2 * i]);\(rows[2 * i + 1])" }
    func table(_ lines: ArraySlice<String>) -> String { "height;weight\n" + lines.joined(separator: "\n") }
    try place.write("points.csv", table(lines[..<100]))
    for i in 1...5 { try place.write("commas\(i).csv", table(lines[100...]).replacing(".", with: ",")) }
    let one = await place.flow("fit @points.csv @commas1.csv \(small)")
    let words = ": numbers are read with a comma as the decimal mark; --decimal changes it"
    #expect(one.warnings.contains(place["commas1.csv"] + words), "\(one)")
    let many = await place.flow(
      "fit @points.csv @commas1.csv @commas2.csv @commas3.csv @commas4.csv @commas5.csv \(small)")
    let names = (1...3).map { place["commas\($0).csv"] }.joined(separator: ", ")
    #expect(many.warnings.contains(names + " and 2 more files" + words), "\(many)")
  }

  /// Sums of columns and numbers of rows are told in tables of numbers too.
  @Test func sumsAndNumbersOfRows() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let rows = place.rows.doubles
    let lines = (0..<150).map { i in
      "\(i * 7919 % 1_000_003),\(rows[2 * i]),\(rows[2 * i + 1]),\(rows[2 * i] - 3 * rows[2 * i + 1])"
    }
    try place.write("sums.csv", "id,a,b,difference\n" + lines.joined(separator: "\n"))
    let outcome = await place.flow("fit @sums.csv \(small)")
    #expect(outcome.code == 0, "\(outcome)")
    #expect(outcome.warnings.count { $0.hasPrefix(place["sums.csv"]) } == 2, "\(outcome.warnings)")
    #expect(outcome.warnings.contains { $0.contains("such as their sums: difference of a, b;") })
    #expect(outcome.warnings.contains { $0.contains("all whole numbers of id differ") })
  }

  @Test func unsuitableDataAreNamedOnce() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let rows = place.rows.doubles
    let lines = (0..<60).map { i in
      "\(i % 7),\(rows[2 * i]),\(3 - 2 * rows[2 * i]),\(i < 9 ? 0 : rows[2 * i + 1])"
    }
    try place.write("odd.csv", "age,x,twin,spike\n" + lines.joined(separator: "\n"))
    let outcome = await place.flow("fit @odd.csv --type continuous \(small)")
    for part in [
      "only whole numbers in age;", "same number in spike;", "up to scale: x and twin;", "60 rows are few",
    ] {
      #expect(outcome.warnings.count { $0.contains(part) } == 1, "\(part): \(outcome.warnings)")
    }
  }
}
