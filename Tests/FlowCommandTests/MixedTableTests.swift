import FittedModels
import Flows
import Foundation
import Testing

@testable import flow

/// The command on tables of texts, dates, whole numbers and missing values.
@Suite struct MixedTableTests {
  private let small =
    "--architecture ordered-splines --layers 1 --hidden 8 --bins 4 --steps 40 --seed 1 --progress none"

  /// The settings of a small flow.
  private var tiny: Architecture.Settings {
    var settings = Architecture.orderedSplines.defaults
    settings.values[.hidden] = [8]
    (settings.values[.layers], settings.values[.bins]) = (1, 4)
    return settings
  }

  /// A table whose columns are of all kinds.
  private func people(_ count: Int = 150) -> String {
    let (u, noise) = (Key(0).uniform([count, 3]).doubles, Key(1).normal([count, 2]).doubles)
    let rows = (0..<count).map { i -> String in
      let sex = u[3 * i] < 0.5 ? "f" : "m"
      let age = 17 + Int(60 * u[3 * i + 1] * u[3 * i + 1])
      let income = u[3 * i + 2] < 0.3 ? "" : "\((noise[2 * i] * 50 + Double(age) * 10).rounded() / 10)"
      let day = 10 + Int(20 * u[3 * i + 2])
      return "\(sex),\(age),\(income),2024-03-\(day),\"\(u[3 * i] < 0.2 ? "x, y" : "z")\",\(noise[2 * i + 1])"
    }
    return "sex,age,income,day,group,score\n" + rows.joined(separator: "\n") + "\n"
  }

  @Test func fitDescribeSampleScore() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("people.csv", people())
    let fitted = try await place.json("fit @people.csv --bounds age:17:90 \(small) --out @m.safetensors")
    #expect(fitted["rows"] == 150 && fitted["columns"] == 6 && fitted["bound"] == true)
    #expect(fitted["architecture"] == "ordered-splines" && fitted["members"] == 1)
    let schema = try TableSchema(parsing: #require(fitted["schema"]).text)
    #expect(
      schema.columns.map(\.kind) == [.categorical, .integer, .continuous, .date, .categorical, .continuous])
    #expect(schema.columns.map(\.missing) == [nil, nil, "", nil, nil, nil])

    let described = await place.flow("describe @m.safetensors")
    #expect(described.output.contains("age     integer, 17 to 90"))
    #expect(described.output.contains("income  continuous, rounded to 0.1, "))
    #expect(try await place.json("describe @m.safetensors")["schema"] == schema.json)

    #expect(try await place.json("check @m.safetensors --rows 3")["passes"] == true)

    // Draws are a table of the same kind: it can be read and scored.
    _ = try await place.json("sample @m.safetensors --count 300 --out @new.csv")
    let new = try TextTable.read(place["new.csv"])
    #expect(new.names == schema.names && new.rows == 300)
    let ages = try new.numbers(columns: [1]).doubles
    #expect(ages.allSatisfy { $0.rounded() == $0 && (17...90).contains($0) })
    #expect((0..<300).contains { new.text(row: $0, column: 2).isEmpty })
    #expect((0..<300).contains { new.text(row: $0, column: 4) == "x, y" })
    let score = try await place.json("score @m.safetensors @new.csv --out @scores.csv --draws 2")
    #expect(score["count"] == 300 && score["bound"] == true && score["density_columns"] == ["score"])
    #expect(try CSV.read(place["scores.csv"]).values.rows == 300)
    let text = await place.flow("score @m.safetensors @people.csv")
    #expect(text.output.hasPrefix("mean log-likelihood at least -") && text.output.contains("a lower bound"))

    // Parts of a long sample are the whole.
    let lines = try String(contentsOfFile: place["new.csv"], encoding: .utf8).split(separator: "\n")
    let part = await place.flow("sample @m.safetensors --first 120 --count 60")
    #expect(part.output.split(separator: "\n").dropFirst() == lines[121..<181])
    _ = try await place.json("sample @m.safetensors --first 9998 --count 4 --out @border.csv")
    let border = try String(contentsOfFile: place["border.csv"], encoding: .utf8).split(separator: "\n")
    let alone = await place.flow("sample @m.safetensors --first 10000 --count 2")
    #expect(border.count == 5 && alone.output.split(separator: "\n").dropFirst() == border[3...])
    let weighted = await place.flow("sample @m.safetensors --first 5 --count 3 --given sex=m,age=40")
    #expect(weighted.error?.contains("cannot be drawn in parts") == true, "\(weighted)")

    let rows = try await place.json("sample @m.safetensors --count 3 --given sex=m,age=40")
    let first = try #require(rows["rows"]?.array?[0].array)
    #expect(first[0] == "m" && first[1] == 40 && first.count == 6)
    #expect(rows["effective_sample_size"] != nil && rows["warnings"] != nil)
    let missing = try await place.json("sample @m.safetensors --count 3 --given income=")
    #expect(missing["rows"]?.array?.allSatisfy { $0.array?[2] == .null } == true)
  }

  /// Shares of draws below whole numbers of the same distribution are uniform, and missing ones have none.
  @Test func calibrationOfWholeNumbers() async throws {
    let whole = Key(3).uniform([4_000], dtype: .float64).doubles.map { ($0 * $0 * 5).rounded() }
    let shares = ScoreCommand.shares(
      of: [.nan] + whole[..<2_000], in: Array(whole[2_000...]), Key(4)
    ).doubles
    #expect(shares[0].isNaN)
    let sorted = shares.dropFirst().sorted()
    // 2.6 is the quantile of 1 - 5e-6 of Kolmogorov's statistic.
    let distance = sorted.indices.map { i -> Double in abs(sorted[i] - (Double(i) + 0.5) / 2_000) }.max()!
    let allowed = 2.6 * 0.001.squareRoot()
    #expect(distance < allowed)

    let place = try Workplace()
    defer { place.remove() }
    try place.write("people.csv", people())
    _ = try await place.json("fit @people.csv \(small) --out @m.safetensors")
    _ = try await place.json("score @m.safetensors @people.csv --picture @c.svg")
    let text = try String(contentsOfFile: place["c.svg"], encoding: .utf8)
    for name in ["age", "income", "score"] { #expect(text.contains(name)) }
    #expect(!text.contains("sex"))
  }

  /// A picture of draws shows columns of numbers, and those rows of the data that are like the given ones.
  @Test func pictureOfNumbers() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("people.csv", people())
    try saveModel(place, "people.csv")
    let alone = try await place.json("sample @m.safetensors --count 20 --picture @a.svg --out @new.csv")
    #expect(alone["picture"] == .string(place["a.svg"]) && alone["out"] != nil)
    func marks(_ options: String) async throws -> (count: Int, warnings: Int) {
      let drawn = try await place.json(
        "sample @m.safetensors --count 20 --picture @p.svg --data @people.csv \(options)")
      let text = try String(contentsOfFile: place["p.svg"], encoding: .utf8)
      #expect(text.contains("income") && text.contains("age") && !text.contains("group"))
      return (text.count, drawn["warnings"]?.array?.count { "\($0)".contains("the picture") } ?? 0)
    }
    let (all, some) = (try await marks(""), try await marks("--given sex=m"))
    let none = try await marks("--given sex=m,age=3")
    #expect(all.count > some.count && some.count > none.count)
    #expect(all.warnings == 0 && some.warnings == 0 && none.warnings == 1)
    try place.write("words.csv", "a,b\n" + (0..<40).map { "x\($0 % 3),y\($0 % 2)" }.joined(separator: "\n"))
    try saveModel(place, "words.csv")
    let outcome = await place.flow("sample @m.safetensors --picture @p.svg")
    #expect(outcome.code == 2 && outcome.error?.contains("and the model has none") == true)
  }

  /// A model of a table with its initial parameters.
  private func saveModel(_ place: Workplace, _ name: String) throws {
    let schema = try TableSchema.infer(from: TextTable.read(place[name])).schema
    let (preset, tiny) = (Architecture.orderedSplines, self.tiny)
    try MixedModel(
      architecture: preset, members: [tiny], model: TableModel(schema, flows: [preset.build(tiny)])
    ).write(to: place["m.safetensors"])
  }

  /// The time becomes steps of both fits, which the model records.
  @Test func timeIsSharedByTheFits() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("people.csv", people(60))
    func fit(_ length: String) async throws -> SafeTensors {
      let line = "fit @people.csv \(small.replacing("--steps 40", with: length)) --out @m.safetensors"
      #expect(await place.flow(line).code == 0)
      return try SafeTensors.read(place["m.safetensors"])
    }
    let timed = try await fit("--max-time 1")
    let steps = try #require(timed.metadata["steps"].flatMap { Int($0) })
    #expect(steps >= 10)
    #expect(try await fit("--steps \(steps)").metadata == timed.metadata)
  }

  /// Line breaks in names and levels stay in files, and are escaped in messages.
  @Test(arguments: ["a\nb", "a\r\nb", "a\rb", "say \"a\", b\n"]) func namesWithLineBreaks(name: String)
    async throws
  {
    let place = try Workplace()
    defer { place.remove() }
    let field = CSV.quoted(name, separator: .comma)
    let noise = Key(0).normal([60]).doubles
    let lines = (0..<60).map {
      "\(noise[$0]),\($0 % 3 == 0 ? field : "x"),\($0 * $0 % 47),\(2 * noise[$0])"
    }
    let header = "\(field),kind,\"n\(field.dropFirst()),twin\n"
    try place.write("t.csv", header + lines.joined(separator: "\n") + "\n")
    let outcome = await place.flow("fit @t.csv \(small) --out @m.safetensors")
    #expect(outcome.code == 0 && outcome.warnings.allSatisfy { !$0.contains { $0.isNewline } }, "\(outcome)")
    #expect(outcome.output.filter(\.isNewline).count == 4, "\(outcome.output)")
    let described = await place.flow("describe @m.safetensors")
    #expect(described.output.filter(\.isNewline).count == 11, "\(described.output)")
    _ = try await place.json("sample @m.safetensors --count 30 --out @new.csv")
    let new = try TextTable.read(place["new.csv"])
    #expect(
      new.names[0] == name && new.rows == 30 && (0..<30).contains { new.text(row: $0, column: 1) == name })
    #expect(try await place.json("score @m.safetensors @new.csv")["count"] == 30)
    for line in [
      "fit @t.csv --type kind:integer --out @n.safetensors", "fit @t.csv --columns z --out @n.safetensors",
      "score @m.safetensors @plain.csv", "sample @m.safetensors --given z=1",
    ] {
      let outcome = await place.flow(line)
      #expect(outcome.code == 2 && outcome.error?.contains { $0.isNewline } == false, "\(outcome)")
    }
    // An option takes the name in quotes.
    let given = await FlowCommand.run(
      [
        "sample", place["m.safetensors"], "--count", "2", "--given",
        "\"\(field.dropFirst().dropLast())=0.5\"",
      ])
    #expect(given.code == 0, "\(given)")
  }

  /// Columns that follow from others, or may name the rows, are told, and draws keep the relations.
  @Test func dependentColumnsAreTold() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let (u, v) = (Key(0).normal([1_000]).doubles, Key(1).normal([1_000]).doubles)
    let ids = Key(2).permutation(100_000)
    let lines = (0..<1_000).map { i -> String in
      let (x, y) = ((100 * u[i]).rounded() / 100, (100 * v[i]).rounded() / 100)
      let code = ["CH", "DE", "FR"][i * i % 3]
      return "\(code),\(x),\(decimals(2 * x + 1)),\(y),\(decimals(x + y)),land \(code),\(ids[i])"
    }
    try place.write("t.csv", "code,x,double,y,sum,land,customer_id\n" + lines.joined(separator: "\n") + "\n")
    let outcome = await place.flow("fit @t.csv \(small) --out @m.safetensors")
    let source = place["t.csv"]
    #expect(
      outcome.warnings == [
        "\(source): columns follow from others in all rows: double = 2 · x + 1, land has one level for each "
          + "of code; draws keep that, and the likelihood is that of the other columns",
        "\(source): columns are linear functions of others, such as their sums: sum of x, y; leave one of "
          + "each out by --without, since their joint density is unbounded",
        "\(source): all whole numbers of customer_id differ, as those that name the rows do; if they do, "
          + "--without customer_id leaves them out",
      ], "\(outcome)")
    #expect(outcome.output.contains("double (continuous, 2 · x + 1)"))
    #expect(await place.flow("describe @m.safetensors").output.contains("one level for each of code: land"))
    _ = try await place.json("sample @m.safetensors --count 50 --out @new.csv")
    let new = try TextTable.read(place["new.csv"])
    for row in 0..<50 {
      let (x, double) = (Double(new.text(row: row, column: 1))!, Double(new.text(row: row, column: 2))!)
      #expect(
        abs(double - 2 * x - 1) < 1e-9
          && new.text(row: row, column: 5) == "land " + new.text(row: row, column: 0))
    }
    #expect(try await place.json("score @m.safetensors @new.csv")["count"] == 50)
    // A row that breaks both rules has no likelihood, and the others keep theirs.
    try place.write("b.csv", "code,x,double,y,sum,land,customer_id\nCH,0.5,2.01,1,1.5,land DE,77\n")
    try place.write("c.csv", "code,x,double,y,sum,land,customer_id\nCH,0.5,2,1,1.5,land CH,77\n")
    let good = try await place.json("score @m.safetensors @c.csv")["mean_log_likelihood"]?.number
    let broken = await place.flow("score @m.safetensors @b.csv @c.csv --out @s.csv")
    let scores = try TextTable.read(place["s.csv"])
    #expect(scores.text(row: 0, column: 0) == "-inf" && Double(scores.text(row: 1, column: 0)) == good)
    #expect(
      broken.code == 0 && broken.warnings.count == 1
        && broken.warnings[0].contains("row 2, column 3: expected \"2\" in \"double\", got \"2.01\"")
        && broken.warnings[0].contains("; so do 1 more"), "\(broken)")
    let given = try await place.json("sample @m.safetensors --count 3 --given double=2")
    #expect(given["rows"]?.array?.allSatisfy { $0.array?[1] == 0.5 && $0.array?[2] == 2 } == true)
  }

  @Test func architecturesAreCompared() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("people.csv", people(80))
    let fitted = try await place.json(
      "fit @people.csv --architecture nsf,spline-mixture --layers 1 --hidden 8 --steps 20 "
        + "--out @m.safetensors")
    #expect(fitted["members"] == 1)
    _ = try await place.json("sample @m.safetensors --count 2 --given group=z")
    let outcome = await place.flow("sample @m.safetensors --count 2 --given age=30")
    #expect(outcome.code == 2 && outcome.error?.contains("architecture ordered-splines") == true)
  }

  /// Files whose schema is not that of their parameters, or has numbers that no fit writes, give one line.
  @Test func damagedModelsGiveOneLine() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("people.csv", people(60))
    let schema = try TableSchema.infer(from: TextTable.read(place["people.csv"])).schema
    let (preset, tiny) = (Architecture.orderedSplines, self.tiny)
    try MixedModel(
      architecture: preset, members: [tiny],
      model: TableModel(schema, flows: [preset.build(tiny)])
    ).write(to: place["m.safetensors"])
    let file = try SafeTensors.read(place["m.safetensors"])
    let text = try #require(file.metadata["schema"])
    var refused = 0
    for (old, new) in [
      ("\"levels\": [\"m\", \"f\"]", "\"levels\": [\"m\"]"),
      ("\"levels\": [\"m\", \"f\"]", "\"levels\": [\"m\", \"f\", \"x\"]"), ("\"sex\"", "\"age\""),
      ("\"version\": 1", "\"version\": 9"), ("\"missing\": \"\"", "\"missing\": null"),
      ("\"missing\": \"\"", "\"missing\": \"\\n\""), ("\"step\": 1.0", "\"step\": 1e300"),
      ("\"step\": 1.0", "\"step\": 1e-300"), ("\"deviation\": ", "\"deviation\": 1e308, \"d\": "),
      ("\"deviation\": ", "\"deviation\": 1e-308, \"d\": "), ("\"mean\": ", "\"mean\": -1e308, \"n\": "),
      ("\"least\": ", "\"least\": -1e300, \"l\": "), ("\"most\": ", "\"most\": 1e300, \"l\": "),
      ("\"kind\": \"date\"", "\"kind\": \"integer\""), ("\"spikes\": [", "\"spikes\": [1e300, "),
      ("\"places\": 0", "\"places\": 15"),
    ] {
      #expect(text.contains(old), "\(old)")
      let other = file.metadata.merging(["schema": text.replacing(old, with: new)]) { $1 }
      try SafeTensors(file.tensors, metadata: other).write(to: place["d.safetensors"])
      for line in [
        "describe @d.safetensors", "sample @d.safetensors --count 3", "score @d.safetensors @people.csv",
        "sample @d.safetensors --count 2 --given age=30",
      ] {
        let outcome = await place.flow(line)
        if outcome.code == 0 { continue }
        refused += 1
        // A tree that does not fit is printed.
        let isTree = outcome.error?.contains("the parameter tree does not match") ?? false
        #expect(isTree || outcome.error?.contains("\n") == false, "\(new): \(line): \(outcome)")
      }
    }
    #expect(refused >= 16)
  }

  /// Numbers get a schema where they are whole, frequent or constant, unless a density of all is wished.
  @Test(arguments: [
    ("fit @ages.csv", true), ("fit @flags.csv", true), ("fit @spikes.csv", true), ("fit @plain.csv", false),
    ("fit @ages.csv --type continuous", false), ("fit @ages.csv --context size", false),
    ("fit @ages.csv --no-standardize", false), ("fit @ages.csv --type size:continuous", true),
  ])
  func numbersWithoutADensityGetASchema(line: String, hasSchema: Bool) async throws {
    let place = try Workplace()
    defer { place.remove() }
    func write(_ name: String, _ value: (Int) -> String) throws {
      let lines = (0..<60).map { "\(value($0)),\(Double($0 * 17 % 60) / 7)" }
      try place.write(name, "age,size\n" + lines.joined(separator: "\n"))
    }
    try write("ages.csv") { "\($0 * 7 % 31)" }
    try write("flags.csv") { "\($0 * 7 % 31 % 2)" }
    try write("spikes.csv") { $0 % 6 == 0 ? "0.5" : "\(Double($0) / 11)" }
    let outcome = await place.flow(
      line + " --architecture nsf --layers 1 --hidden 4 --epochs 1 --out @m.safetensors")
    #expect(outcome.code == 0)
    #expect((try SafeTensors.read(place["m.safetensors"]).metadata["schema"] != nil) == hasSchema)
    #expect(
      outcome.output.contains("--type continuous fits one density")
        == (hasSchema && !line.contains("--type")))
    let isWarned = line.contains("@ages.csv") && !hasSchema
    #expect(outcome.warnings.contains { $0.contains("only whole numbers in age") } == isWarned)
  }

  @Test(arguments: [
    ("fit @people.csv --missing error --out @n.safetensors", "expected a value in \"income\""),
    ("fit @people.csv --type continuous --bounds age:0:9 --out @n.safetensors", "do not go together"),
    ("fit @people.csv --device pjrt:/nowhere.so --out @n.safetensors", "expected a PJRT plugin, got"),
    ("fit @people.csv --type age:number --out @n.safetensors", "expected continuous, integer, categorical"),
    ("fit @people.csv --type age --out @n.safetensors", "expected a column and its type such as age:integer"),
    ("fit @people.csv --type sex:integer --out @n.safetensors", "expected a whole number in \"sex\""),
    ("fit @people.csv --type other:integer --out @n.safetensors", "got \"other\"; there are sex,age"),
    ("fit @people.csv --bounds age:90:17 --out @n.safetensors", "expected two rising bounds"),
    ("fit @people.csv --bounds age:20:60 --out @n.safetensors", "in the --bounds of \"age\""),
    ("fit @people.csv --context age --out @n.safetensors", "--context does not go with a table of mixed"),
    ("fit @people.csv --missing guess --out @n.safetensors", "expected model, drop or error for --missing"),
    ("fit @names.csv --out @n.safetensors", "got a different text in each row"),
    ("fit @same.csv --type b:constant --out @n.safetensors", "got constants alone"),
    ("fit @people.csv --checkpoint @n.safetensors --out @n.safetensors", "are the same file"),
    ("fit @people.csv --standardize --no-standardize --out @n.safetensors", "do not go together"),
    ("score @m.safetensors @strange.csv", "row 3, column 1: expected one of m, f in \"sex\", got \"other\""),
    ("score @m.safetensors @words.csv", "row 2, column 2: expected a whole number in \"age\", got \"old\""),
    ("score @m.safetensors @fewer.csv", "got no income,day,group,score"),
    ("score @m.safetensors @data.npy", "expected a table as text"),
    ("sample @m.safetensors --out @a.npy", "a mixed table is text"),
    ("sample @m.safetensors --given height=3", "expected COLUMN=VALUE,... for --given"),
    ("sample @m.safetensors --given sex=q", "expected one of m, f in \"sex\", got \"q\""),
    ("sample @m.safetensors --given sex=f,sex=m", "expected sex once in --given"),
    ("sample @m.safetensors --given day=monday", "expected a date such as 2024-03-"),
    ("check @m.safetensors --data @people.csv", "--data and --given do not go with a model of a mixed"),
    ("describe @torn.safetensors", "expected the schema of a table"),
  ])
  func wrongLinesGiveOneLine(line: String, words: String) async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("people.csv", people(60))
    let lines = people(60).split(separator: "\n")
    let rest = ",30,1.5,2024-03-11,z,0.5"
    try place.write("strange.csv", "\(lines[0])\nf\(rest)\nother\(rest)\n")
    try place.write("words.csv", "\(lines[0])\nf,old,1.5,2024-03-11,z,0.5\n")
    try place.write("fewer.csv", "sex,age\nf,30\n")
    try place.write("same.csv", "a,b\n" + String(repeating: "x,1\n", count: 30))
    try place.write("names.csv", "name,age\n" + (0..<30).map { "n\($0),\($0 % 7)" }.joined(separator: "\n"))
    if line.contains("@m.safe") || line.contains("@torn") {
      let table = try TextTable.read(place["people.csv"])
      let schema = try TableSchema.infer(from: table).schema
      let (preset, tiny) = (Architecture.orderedSplines, self.tiny)
      let model = MixedModel(
        architecture: preset, members: [tiny],
        model: try TableModel(schema, flows: [preset.build(tiny)]))
      try model.write(to: place["m.safetensors"])
      let file = try SafeTensors.read(place["m.safetensors"])
      let torn = file.metadata.merging(["schema": "{}"]) { $1 }
      try SafeTensors(file.tensors, metadata: torn).write(to: place["torn.safetensors"])
    }
    let outcome = await place.flow(line)
    let error = outcome.error ?? "none"
    #expect(outcome.code == 2 && outcome.output.isEmpty, "\(outcome)")
    #expect(error.contains(words) && !error.contains("\n") && error.count < 500, "\(error)")
    #expect(!FileManager.default.fileExists(atPath: place["n.safetensors"]))
  }
}
