import Flows
import Foundation
import Testing

@testable import flow

/// The command on files that stay on the disk, and on parts of long samples.
@Suite struct ScaleTests {
  private let small = "--architecture realnvp --layers 2 --hidden 8 --epochs 3 --seed 1"

  /// The parameters and the scales of a model file.
  private func content(_ path: String) throws -> (tensors: [String: [Double]], scales: String?) {
    let file = try SafeTensors.read(path)
    let tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.value.doubles) })
    return (tensors, file.metadata["scales"])
  }

  /// Named columns make the command read the table. A file on the disk gives the same model, and a file in
  /// Fortran order is read as a table too.
  @Test(arguments: [
    "", "--no-standardize", "--dtype float64", "--architecture auto --folds 2 --steps 4", "--max-time 1",
  ])
  func mappedRowsGiveTheModelOfRowsInMemory(_ options: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    if options.contains("--no-standardize") {
      try NPY.write((place.rows - 1_000) / 30, to: place["data.npy"])
    }
    var line = "\(small) \(options)"
    if options.contains("auto") { line = options }
    if options.contains("max-time") { line = "--architecture realnvp --layers 2 --hidden 8 \(options)" }
    let mapped = try await place.json("fit @data.npy \(line) --out @mapped.safetensors")
    #expect(mapped["rows"] == 200 && mapped["columns"] == 2)
    if options.contains("max-time") { return }
    let read = try await place.json("fit @data.npy --columns #1,#2 \(line) --out @read.safetensors")
    for name in ["validation_log_likelihood", "gaussian_log_likelihood", "steps", "warnings"] {
      #expect(mapped[name] == read[name], "\(name)")
    }
    let (a, b) = (try content(place["mapped.safetensors"]), try content(place["read.safetensors"]))
    #expect(a.tensors == b.tensors && a.scales == b.scales)
    let (scored, table) = (
      await place.flow("score @mapped.safetensors @data.npy --out @a.npy"),
      await place.flow("score @read.safetensors @data.npy --out @b.npy")
    )
    #expect(scored.code == 0 && scored.output == table.output)
    #expect(try NPY.read(place["a.npy"]).isIdentical(to: NPY.read(place["b.npy"])))
  }

  @Test func wrongFilesSayWhere() async throws {
    let place = try Workplace()
    defer { place.remove() }
    var rows = place.rows.doubles
    rows[2 * 77 + 1] = .nan
    try NPY.write(Tensor(doubles: rows, shape: [200, 2]), to: place["nan.npy"])
    try NPY.write(concatenate([place.rows, .ones([200, 1])], axis: 1), to: place["flat.npy"])
    try NPY.write(Tensor.ones([1, 2]), to: place["one.npy"])
    var bytes = NPY.bytes(of: place.rows)
    bytes.append(0)
    try Data(bytes).write(to: URL(filePath: place["long.npy"]))
    for (line, message) in [
      ("nan.npy", "nan.npy, row 78, column 2: expected a finite number"),
      ("flat.npy", "flat.npy, column 3: expected different numbers"),
      ("one.npy", "one.npy: expected at least 2 rows"),
      ("long.npy", "got 1 more bytes"),
      ("none.npy", "expected a readable file"),
    ] {
      let outcome = await place.flow("fit @\(line) \(small) --out @m.safetensors")
      #expect(outcome.code == 2 && outcome.error?.contains(message) == true, "\(outcome)")
    }
    _ = try await place.json("fit @data.npy \(small) --out @m.safetensors")
    let outcome = await place.flow("score @m.safetensors @nan.npy")
    #expect(outcome.error?.contains("row 78, column 2: expected a finite number") == true)
  }

  /// Parts of a sample that is longer than a chunk, put together, are the bytes of the whole.
  @Test(arguments: ["", "--given height=1000"]) func partsOfASample(_ given: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    let context = given.isEmpty ? "" : "--context height"
    _ = try await place.json(
      "fit @data.csv --without kind --architecture nsf --layers 1 --hidden 4 --bins 3 --epochs 1 \(context) "
        + "--out @m.safetensors")
    func draw(_ options: String, _ name: String) async throws {
      _ = try await place.json("sample @m.safetensors --seed 3 \(given) \(options) --out @\(name)")
    }
    try await draw("--count 10050", "whole.npy")
    try await draw("--count 9990", "a.npy")
    try await draw("--first 9990 --count 20", "b.npy")
    try await draw("--first 10010 --count 40", "c.npy")
    let parts = try ["a.npy", "b.npy", "c.npy"].map { try NPY.read(place[$0]) }
    let whole = try NPY.read(place["whole.npy"])
    #expect(whole.rows == 10_050 && concatenate(parts, axis: 0).isIdentical(to: whole))
    // Text in pieces, to a file and to standard output.
    try await draw("--first 9990 --count 20", "b.csv")
    let text = await place.flow("sample @m.safetensors --seed 3 \(given) --first 9990 --count 20")
    #expect(try String(contentsOfFile: place["b.csv"], encoding: .utf8) == text.output)
    #expect(try CSV.read(place["b.csv"], dtype: .float64).values.isIdentical(to: parts[1]))
    let described = try await place.json("sample @m.safetensors --first 5 --count 2 \(given)")
    #expect(described["first"] == 5 && described["count"] == 2)
    // A failed run leaves no file.
    let none = await place.flow("sample @m.safetensors --first -1 \(given) --out @x.csv")
    #expect(none.code == 2 && !FileManager.default.fileExists(atPath: place["x.csv"]))
  }
}
