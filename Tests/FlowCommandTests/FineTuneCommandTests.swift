import Flows
import Testing

@testable import flow

/// `flow finetune` on files of histories.
@Suite struct FineTuneCommandTests {
  /// A model of one column, 600 draws of it in 300 histories, and sums of pairs from elsewhere.
  private func workplace(columns: String = "history,x") async throws -> Workplace {
    let place = try Workplace()
    let x = 10 + 2 * Key(1).normal([300, 1], dtype: .float64)
    try CSV(names: ["x"], values: x).write(to: place["x.csv"])
    _ = try await place.json(
      "fit @x.csv --architecture nsf --layers 1 --hidden 4 --epochs 30 --out @m.safetensors")
    _ = try await place.json("sample @m.safetensors --count 600 --out @draws.csv")
    let draws = try CSV.read(place["draws.csv"]).values.cast(to: .float64).doubles
    // Histories in falling order, numbered from 1000.
    let rows = draws.indices.map { "\(1299 - $0 / 2),\(draws[$0])" }
    try place.write("emissions.csv", columns + "\n" + rows.joined(separator: "\n"))
    let sums = (0..<300).map { "\(1299 - $0),\(draws[2 * $0] + draws[2 * $0 + 1]),\($0)" }
    try place.write("events.csv", "history,sum,order\n" + sums.joined(separator: "\n"))
    let data = (20.8 + 2.8 * Key(4).normal([400, 1], dtype: .float64)).doubles.map { "\($0)" }
    try place.write("data.csv", "sum\n" + data.joined(separator: "\n"))
    try place.write("data2.csv", "other,sum\n" + data.map { "0,\($0)" }.joined(separator: "\n"))
    return place
  }

  private let line = "finetune @m.safetensors @emissions.csv --observables @events.csv --out @t.safetensors "

  @Test func aModelIsFittedToSums() async throws {
    let place = try await workplace()
    defer { place.remove() }
    for (options, degrees) in [
      ("--to @data.csv", true), ("--to @data2.csv --loss cross-entropy --bins 10", true),
      ("--to @data.csv --loss wasserstein", false), ("--to @data.csv --loss energy --observe sum", false),
    ] {
      let result = try await place.json(line + options + " --steps 25 --learning-rate 0.02")
      let (before, after) = (result["before"]?.array?[0], result["after"]?.array?[0])
      #expect(try #require(after?["loss"]?.number) < 0.75 * #require(before?["loss"]?.number), "\(options)")
      #expect((after?["degrees"]?.integer != nil) == degrees && after?["name"] == "sum")
      #expect(result["histories"] == 300 && result["needs_simulation"] == false)
      #expect(try #require(result["effective_sample_size"]?.number) > 150)
      #expect(try #require(result["kl_from_start"]?.number) > 0)
      // A file like the first one, whose draws have moved.
      let draws = try await place.json("sample @t.safetensors --count 2000")
      let numbers = try #require(draws["rows"]?.array).compactMap { $0.array?[0].number ?? $0["x"]?.number }
      #expect(numbers.reduce(0, +) / 2000 > 10.1, "\(options)")
    }
    // The data's own units are kept.
    #expect(try await place.json("describe @t.safetensors")["architecture"] == "nsf")
  }

  /// Mixtures, other dtypes, logs, columns as they are, contexts: two steps, and the new model is one of the
  /// same kind whose scores have moved a little.
  @Test(arguments: [
    "--steps 6 --folds 2", "--architecture nsf --layers 1 --hidden 4 --epochs 2 --dtype float64",
    "--architecture nsf --layers 1 --hidden 4 --epochs 2 --log x",
    "--architecture nsf --layers 1 --hidden 4 --epochs 2 --no-standardize",
    "--architecture maf --layers 1 --hidden 4 --epochs 2 --context c",
  ])
  func everyKindOfModel(options: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    let x = (10 + Key(1).normal([120, 1], dtype: .float64)).doubles
    let table = x.indices.map { "\($0 / 3),\(x[$0]),\($0 % 5)" }.joined(separator: "\n")
    try place.write("e.csv", "history,x,c\n" + table)
    let sums = (0..<40).map { "\($0),\(x[3 * $0] + x[3 * $0 + 1] + x[3 * $0 + 2])" }
    try place.write("o.csv", "history,sum\n" + sums.joined(separator: "\n"))
    try place.write("d.csv", "sum\n" + (0..<50).map { "\(28.5 + Double($0) / 10)" }.joined(separator: "\n"))
    _ = try await place.json("fit @e.csv --columns x \(options) --seed 3 --out @m.safetensors")
    let result = try await place.json(
      "finetune @m.safetensors @e.csv --observables @o.csv --to @d.csv --loss energy --steps 2 "
        + "--learning-rate 0.001 --out @t.safetensors")
    #expect(result["steps"] == 2 && result["needs_simulation"] == false)
    let (a, b) = (
      try await place.json("score @m.safetensors @e.csv")["mean_log_likelihood"]?.number,
      try await place.json("score @t.safetensors @e.csv")["mean_log_likelihood"]?.number
    )
    #expect(try abs(#require(a) - #require(b)) < 0.2 && a != b, "\(options)")
  }

  /// 100 rows take 5 bins by default, and short steps are told.
  @Test func fewRowsTakeFewBins() async throws {
    let place = try await workplace()
    defer { place.remove() }
    let data = (20.8 + 2.8 * Key(4).normal([100, 1], dtype: .float64)).doubles.map { "\($0)" }
    try place.write("few.csv", "sum\n" + data.joined(separator: "\n"))
    let result = try await place.json(line + "--to @few.csv --steps 1 --learning-rate 1e-6")
    #expect(result["after"]?.array?[0]["degrees"] == 4)
    #expect(result["settled"] != nil)
  }

  @Test func farDataNeedAnotherSimulation() async throws {
    let place = try await workplace()
    defer { place.remove() }
    let far = (23 + 2.8 * Key(4).normal([400, 1], dtype: .float64)).doubles.map { "\($0)" }
    try place.write("far.csv", "sum\n" + far.joined(separator: "\n"))
    let outcome = await place.flow(line + "--to @far.csv --loss energy --learning-rate 0.05")
    #expect(outcome.code == 0 && outcome.error == nil)
    #expect(
      outcome.output.hasSuffix(
        "the effective sample fell to half before the fit was done: simulate histories with "
          + "\(place["t.safetensors"]) and run flow finetune \(place["t.safetensors"]) on them\n"),
      "\(outcome.output)")
  }

  @Test func wrongLines() async throws {
    let place = try await workplace()
    defer { place.remove() }
    try place.write("short.csv", "history,sum\n1000,3\n1001,4\n")
    try place.write("twice.csv", "history,sum\n1000,3\n1000,4\n")
    try place.write(
      "long.csv",
      "history,sum\n" + (1000..<1301).map { "\($0),20" }.joined(separator: "\n"))
    try place.write("nan.csv", "history,sum\n1000,nan\n")
    try place.write("away.csv", "sum\n-5\n-6\n-7\n-8\n")
    let rest = " --out @t.safetensors --to @data.csv"
    let cases: [(String, Int32, String)] = [
      (
        "finetune @m.safetensors @emissions.csv --to @data.csv --observables @events.csv", 2,
        "--out FILE is req"
      ),
      (
        "finetune @m.safetensors @emissions.csv --out @t.safetensors --to @data.csv", 2,
        "--observables FILE is"
      ),
      (
        "finetune @m.safetensors @emissions.csv --out @t.safetensors --observables @events.csv", 2,
        "--to FILE"
      ),
      (line + "--to @data.csv --loss mean", 2, "expected chi-squared, cross-entropy, wasserstein or energy"),
      (line + "--to @data.csv --loss energy --bins 5", 2, "--bins is for"),
      (line + "--to @data.csv --history event", 2, "expected a column event"),
      (line + "--to @data.csv --observe height", 2, "expected a column height"),
      (line + "--to @data.csv --observe history", 2, "the history's number"),
      (line + "--to @plain.csv", 2, "expected an observable of"),
      (line + "--to @away.csv --loss energy", 1, "where no history lies"),
      (line + "--to @away.csv", 2, "give --bins a lower"),
      (line + "--to @data.csv --seed 1", 2, "unknown option --seed"),
      (
        "finetune @m.safetensors @emissions.csv --observables @short.csv" + rest, 2,
        "row 2, column 1: expected a history of"
      ),
      ("finetune @m.safetensors @emissions.csv --observables @twice.csv" + rest, 2, "got 1000 again"),
      (
        "finetune @m.safetensors @emissions.csv --observables @long.csv" + rest, 2,
        "expected a history with emissions, got 1300 without any"
      ),
      ("finetune @m.safetensors @emissions.csv --observables @nan.csv" + rest, 2, "number"),
      ("finetune @m.safetensors @data.csv --observables @events.csv" + rest, 2, "expected the columns x"),
      ("finetune @events.csv @data.csv --observables @events.csv" + rest, 2, ""),
    ]
    for (line, code, message) in cases {
      let outcome = await place.flow(line)
      #expect(outcome.code == code && outcome.error?.contains(message) == true, "\(line)\n\(outcome)")
    }
    // Nothing is written.
    #expect(await place.flow("describe @t.safetensors").code == 2)
  }

  /// Arrays have no names: the history's number is the first column.
  @Test func arrays() async throws {
    let place = try await workplace()
    defer { place.remove() }
    for name in ["emissions", "events", "data"] {
      try NPY.write(CSV.read(place["\(name).csv"]).values.cast(to: .float64), to: place["\(name).npy"])
    }
    let own = "--steps 2 --out @a.safetensors --loss energy"
    let arrays = await place.flow(
      "finetune @m.safetensors @emissions.npy --history #1 --observables @events.npy --observe #2 "
        + "--to @data.npy \(own)")
    let texts = await place.flow(line + "--to @data.csv --steps 2 --loss energy")
    #expect(arrays.code == 2 || arrays.code == 0)
    let (a, b) = (arrays.output.split(separator: "\n"), texts.output.split(separator: "\n"))
    #expect(a.count == b.count && a[0].split(separator: ":")[1] == b[0].split(separator: ":")[1], "\(arrays)")
    let bare = await place.flow(
      "finetune @m.safetensors @emissions.npy --history #1 --observables @events.npy --to @data.npy \(own)")
    #expect(bare.code == 2 && bare.error?.contains("need --observe") == true)
  }
}
