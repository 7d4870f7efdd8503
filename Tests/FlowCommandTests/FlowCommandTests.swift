import Arguments
import FittedModels
import Flows
import Foundation
import Testing

@testable import flow

/// A folder of its own with two columns of correlated numbers far from standard, named, and a third of text.
struct Workplace {
  let folder: String
  let rows: Tensor

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let noise = Key(5).normal([200, 2])
    rows = matmul(noise, Tensor([[30, 10], [0, 0.5]])) + Tensor([1000, -7])
    // The text holds float32's numbers to the last digit, so that every format has the same rows.
    let exact = rows.cast(to: .float64)
    let lines = CSV(values: exact).text().split(separator: "\n").map { "cat,\($0)" }
    try write("data.csv", "kind,height,weight\n" + lines.joined(separator: "\n") + "\n")
    try CSV(names: ["height", "weight"], values: exact).write(to: self["plain.csv"])
    try NPY.write(rows, to: self["data.npy"])
  }

  subscript(name: String) -> String { folder + "/" + name }

  func write(_ name: String, _ text: String) throws {
    try text.write(toFile: self[name], atomically: true, encoding: .utf8)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Runs a line in which `@name` stands for a file of the folder.
  func flow(_ line: String) async -> FlowCommand.Outcome {
    await FlowCommand.run(
      line.split(separator: " ").map { $0.hasPrefix("@") ? self[String($0.dropFirst())] : String($0) })
  }

  func json(_ line: String) async throws -> JSON {
    let outcome = await flow(line + " --json")
    #expect(outcome.error == nil && outcome.code == 0, "\(outcome)")
    #expect(outcome.output.filter { $0 == "\n" }.count == 1)
    return try JSON(parsing: Array(outcome.output.utf8))
  }
}

@Suite struct FlowCommandTests {
  private let tiny = "--layers 2 --hidden 8 --epochs 3 --seed 1"
  private var small: String { "--architecture nsf \(tiny)" }

  /// A short fit of an architecture, with the settings that it takes.
  private func tiny(_ architecture: Architecture) -> String {
    let settings: [(Architecture.Setting, String)] = [
      (.layers, "2"), (.hidden, "8,8"), (.solverSteps, "8"),
    ]
    let own = settings.filter { architecture.settings.contains($0.0) }.map { "--\($0.rawValue) \($1)" }
    return (["--architecture \(architecture.name) --epochs 3 --seed 1"] + own).joined(separator: " ")
  }

  @Test func fitScoreSampleCheckDescribe() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let fitted = try await place.json(
      "fit @data.csv --columns height,weight --architecture realnvp --layers 2 --hidden 8 --epochs 150 "
        + "--patience 150 --batch-size 45 --learning-rate 0.02 --out @m.safetensors"
    )
    #expect(fitted["rows"] == 200 && fitted["columns"] == 2 && fitted["architecture"] == "realnvp")

    // Densities are in the data's units. This Gaussian's entropy is log(2πe) + log(30 · 0.5).
    let score = try await place.json("score @m.safetensors @data.csv --out @scores.csv")
    let mean = try #require(score["mean_log_likelihood"]?.number)
    let truth =
      -(1 + log(Tensor(2 * Double.pi, dtype: .float64)).item + log(Tensor(15, dtype: .float64)).item)
    #expect(abs(mean - truth) < 0.3, "\(mean), of at most about \(truth)")
    #expect(score["count"] == 200)
    let scores = try CSV.read(place["scores.csv"])
    #expect(scores.names == ["log_likelihood"])
    #expect(abs(scores.values.cast(to: .float64).mean().item - mean) < 1e-4)
    #expect(score["worst"]?.array?.count == 3 && (score["standard_error"]?.number ?? 0) > 0)
    for other in ["@plain.csv", "@data.npy"] {  // The same rows without the text, and without names.
      #expect(try await place.json("score @m.safetensors \(other)")["mean_log_likelihood"] == .number(mean))
    }

    _ = try await place.json("sample @m.safetensors --count 500 --seed 3 --out @s.npy")
    let draws = try NPY.read(place["s.npy"])
    #expect(draws.shape == [500, 2])
    #expect(abs(draws.mean(axis: 0).doubles[0] - 1000) < 10 && abs(draws.mean(axis: 0).doubles[1] + 7) < 4)
    let printed = await place.flow("sample @m.safetensors --count 500 --seed 3")
    let table = try CSV.parse(printed.output, dtype: .float64)
    #expect(table.names == ["height", "weight"] && table.values.isIdentical(to: draws))

    let check = try await place.json("check @m.safetensors")
    #expect(check["passes"] == true)
    #expect(try #require(check["largest_error"]?.number) < 1e-9)
    let strict = await place.flow("check @m.safetensors --tolerance 0")
    #expect(strict.code == 1 && strict.output.contains("FAILS"))

    let described = try await place.json("describe @m.safetensors")
    #expect(described["arguments"] == ["layers": 2, "hidden": [8]])
    #expect(described["columns"] == ["height", "weight"])
    #expect(described["metadata"]?["swift-flows"] == .string(libraryVersion))
    let text = await place.flow("describe @m.safetensors")
    #expect(text.output.contains("Standardize") && text.output.contains("total"))
  }

  @Test(arguments: Architecture.all)
  func everyArchitectureIsBuiltAgainFromItsFile(architecture: Architecture) async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json("fit @plain.csv \(tiny(architecture)) --out @m.safetensors")
    let again = try Model.read(place["m.safetensors"])
    #expect(again.architecture.name == architecture.name && again.members[0].hidden == [8, 8])
    #expect(again.members.map(\.layers) == [architecture.isContinuous ? 1 : 2])
    #expect(again.members[0].solverSteps == (architecture.settings.contains(.solverSteps) ? 8 : 16))
    #expect(try await place.json("check @m.safetensors")["passes"] == true)
    let score = try await place.json("score @m.safetensors @plain.csv")
    let direct = try again.logDensities(of: place.rows.cast(to: .float64)).mean().item
    #expect(score["mean_log_likelihood"] == .number(direct))
    // The tree in the data's units, as code loads it, gives the same up to float32's rounding.
    let functions = try again.functions(.float32)
    let inTree = try functions.logPDF(again.params, place.rows).cast(to: .float64).mean().item
    #expect(abs(inTree - direct) < 1e-4)
  }

  @Test func autoIsTheDefault() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let quick = "--steps 9 --folds 2 --out @m.safetensors"
    let fitted = try await place.json("fit @plain.csv \(quick)")
    let tried = try #require(fitted["tried"]?.array)
    let weights = tried.compactMap { $0["weight"]?.number }
    #expect(tried.count >= 3 && abs(weights.reduce(0, +) - 1) < 1e-12)
    let count = 2 * weights.filter { $0 > 0 }.count
    #expect(fitted["architecture"] == "spline-mixture" && fitted["members"] == .integer(count))
    #expect(tried.allSatisfy { ($0["validation_log_likelihood"]?.number ?? .nan).isFinite })
    let model = try Model.read(place["m.safetensors"])
    #expect(model.members.count == count && model.params.child("components").children.count == count)
    #expect(model.notes["steps"] == "9" && model.notes["tried"]?.contains("splines over") == true)
    #expect(try await place.json("check @m.safetensors --rows 2")["passes"] == true)
    let text = await place.flow("describe @m.safetensors")
    #expect(text.output.contains("members: \(count) flows"))
    let score = try await place.json("score @m.safetensors @plain.csv --picture @c.svg")
    let direct = try model.logDensities(of: place.rows.cast(to: .float64)).mean().item
    #expect(score["mean_log_likelihood"] == .number(direct))
    let printed = await place.flow("fit @plain.csv \(quick)")
    #expect(printed.output.contains("tried") && printed.output.contains("weight"))
    #expect(printed.output.contains("a mixture of \(count) fits"))
  }

  @Test(arguments: [["nice", "realnvp", "nsf"], ["nsf", "ot-flow", "flow-matching"]])
  func severalArchitecturesAreCompared(names: [String]) async throws {
    let place = try Workplace()
    defer { place.remove() }
    let list = names.joined(separator: ",")
    let fitted = try await place.json(
      "fit @plain.csv --architecture \(list) --epochs 2 --bins 4 --hidden 8,8 --out @m.safetensors")
    let tried = try #require(fitted["tried"]?.array)
    #expect(tried.compactMap { $0["name"]?.string } == names)
    // Whatever the objective, a candidate's loss is the likelihood of the held-out rows.
    let losses = tried.compactMap { $0["validation_log_likelihood"]?.number }
    #expect(losses.count == 3 && losses.max() == fitted["validation_log_likelihood"]?.number)
    #expect(tried.first { $0["weight"]?.number == 1 }?["name"] == fitted["architecture"])
    #expect(fitted["members"] == 1)
  }

  /// The command turns a time into steps and records them.
  @Test func maxTimeBecomesSteps() async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json("fit @plain.csv --architecture nsf --max-time 1 --hidden 8 --out @m.safetensors")
    let model = try Model.read(place["m.safetensors"])
    let steps = try #require(model.notes["steps"].flatMap { Int($0) })
    #expect(steps >= 10)
    let file = try FileBytes.read(place["m.safetensors"])
    _ = try await place.json(
      "fit @plain.csv --architecture nsf --steps \(steps) --hidden 8 --out @again.safetensors")
    #expect(try FileBytes.read(place["again.safetensors"]) == file)
  }

  /// One column leaves affine couplings and MAF nothing to depend on.
  @Test(arguments: Architecture.all)
  func oneColumn(architecture: Architecture) async throws {
    let place = try Workplace()
    defer { place.remove() }
    let line = "\(tiny(architecture)) --out @m.safetensors"
    let alone = await place.flow("fit @plain.csv --columns height \(line)")
    let given = await place.flow("fit @plain.csv --columns height --context weight \(line)")
    #expect(given.code == 0, "\(given)")
    #expect(alone.code == (architecture.fitsOneColumn ? 0 : 2), "\(alone)")
    #expect(architecture.fitsOneColumn || alone.error?.contains("take auto") == true)
    #expect(["realnvp", "glow", "maf", "nice"].contains(architecture.name) != architecture.fitsOneColumn)
  }

  @Test func sameSeedSameFile() async throws {
    let place = try Workplace()
    defer { place.remove() }
    for name in ["a", "b"] { _ = try await place.json("fit @plain.csv \(small) --out @\(name).safetensors") }
    _ = try await place.json("fit @plain.csv \(small) --seed 2 --out @c.safetensors")
    let files = try ["a", "b", "c"].map { try FileBytes.read(place[$0 + ".safetensors"]) }
    #expect(files[0] == files[1] && files[0] != files[2])
  }

  @Test func withoutStandardizingAndInDoublePrecision() async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json("fit @plain.csv --no-standardize --dtype float64 \(small) --out @m.safetensors")
    let model = try Model.read(place["m.safetensors"])
    #expect(!model.isStandardized && model.dtype == .float64)
    _ = try await place.json("score @m.safetensors @plain.csv")
    _ = try await place.json("fit @plain.csv --no-standardize --steps 3 --folds 1 --out @auto.safetensors")
    _ = try await place.json("score @auto.safetensors @plain.csv")
  }

  @Test func picture() async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json("fit @plain.csv \(small) --out @m.safetensors")
    let result = try await place.json("sample @m.safetensors --count 50 --picture @p.svg --data @plain.csv")
    #expect(result["picture"] == .string(place["p.svg"]))
    #expect(try String(contentsOfFile: place["p.svg"], encoding: .utf8).contains("height"))
    _ = try await place.json("score @m.safetensors @plain.csv --picture @c.svg")
    #expect(try String(contentsOfFile: place["c.svg"], encoding: .utf8).contains("weight"))
  }

  /// Rows that do not come back are told: an inverse that is none stands for steps that fold.
  @Test func rowsThatDoNotComeBack() throws {
    let layer = try Standardize(mean: Tensor([1]), deviation: Tensor([4]))(Key(0), inputDim: 1)
    let rows = Tensor([[3], [-2]])
    #expect(try roundTripError(layer.params, layer.forward, layer.inverse, rows, nil) < 1e-6)
    #expect(try roundTripError(layer.params, layer.forward, layer.forward, rows, nil) > 0.5)
  }

  @Test func flowsComposedInCodeAreDescribedByTree() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let (params, _, _) = try Flow(ActNorm())(Key(0), inputDim: 2)
    try SafeTensors(params, metadata: ["author": "me"]).write(to: place["own.safetensors"])
    let described = await place.flow("describe @own.safetensors")
    #expect(described.code == 0 && described.output.contains("bijection/logScale: [2] float32"))
    let scored = await place.flow("score @own.safetensors @plain.csv")
    #expect(scored.code == 2 && scored.error?.contains("got tensors without an architecture") == true)
  }

  @Test(
    arguments: [
      ("", 2, "expected a command, got nothing"),
      (
        "fitt x", 2,
        "unknown command fitt; there are "
          + "fit, score, sample, check, describe, compare, finetune, privacy, export"
      ),
      ("fit", 2, "expected DATA, got nothing; flow fit --help says more"),
      ("fit @plain.csv", 2, "--out FILE is required; flow fit --help says more"),
      (
        "fit @plain.csv --epoch 3 --out @m.safetensors", 2,
        "unknown option --epoch; did you mean --epochs?; flow fit --help says more"
      ),
      ("fit @plain.csv --epochs", 2, "--epochs needs a value; flow fit --help says more"),
      (
        "help fitt", 2,
        "unknown command fitt; there are "
          + "fit, score, sample, check, describe, compare, finetune, privacy, export"
      ),
      (
        "fit @plain.csv --out @m.safetensors --checkpoint @m.safetensors", 2,
        "--checkpoint and --out are the same file, @m.safetensors; flow fit --help says more"
      ),
      (
        "fit @plain.csv --epochs 0 --out @m.safetensors", 2,
        "expected a whole number from 1 to 1000000000 for --epochs, got 0; flow fit --help says more"
      ),
      (
        "fit @plain.csv --architecture maf --hidden 8,x --out @m.safetensors", 2,
        "expected widths such as 64,64 for --hidden, got 8,x; flow fit --help says more"
      ),
      (
        "fit @plain.csv --architecture maf --bins 3 --out @m.safetensors", 2,
        "--bins does not go with --architecture maf; flow fit --help says more"
      ),
      (
        "fit @plain.csv --architecture ot-flow --hidden 8,9 --out @m.safetensors", 2,
        "expected two or more equal widths such as 64,64 for --hidden of ot-flow; flow fit --help says more"
      ),
      (
        "fit @plain.csv --architecture cnf --solver-steps 0 --out @m.safetensors", 2,
        "expected a whole number from 1 to 10000 for --solver-steps, got 0; flow fit --help says more"
      ),
      ("fit @plain.csv --architecture cnf --layers 2 --out @m.safetensors", 2, nil),
      (
        "fit @plain.csv --hidden 8 --out @m.safetensors", 2,
        "--hidden does not go with --architecture auto, which chooses it; name an architecture, such as "
          + "spline-mixture; flow fit --help says more"
      ),
      (
        "fit @plain.csv --architecture maf,nsf --validation 0 --out @m.safetensors", 2,
        "several flows are compared on held-out rows; of 200 rows a share of 0.0 holds out none; "
          + "take a larger --validation; "
          + "flow fit --help says more"
      ),
      (
        "fit @plain.csv --folds 201 --out @m.safetensors", 2,
        "expected at most 200 --folds, one per row, got 201; flow fit --help says more"
      ),
      (
        "fit @plain.csv --architecture maf --prior cauchy --out @m.safetensors", 2,
        "expected normal, student, logistic, laplace for --prior, got cauchy; flow fit --help says more"
      ),
      ("fit @plain.csv --prior student --out @m.safetensors", 2, nil),
      ("fit @plain.csv --max-time 0 --out @m.safetensors", 2, nil),
      ("fit @plain.csv --architecture , --out @m.safetensors", 2, nil),
      ("fit @plain.csv --architecture gpt --out @m.safetensors", 2, nil),
      ("fit @plain.csv @data.csv --out @m.safetensors", 2, nil),
      (
        "score @none.safetensors @plain.csv", 2,
        "@none.safetensors: expected a readable file, got nothing there"
      ),
      ("score @plain.csv @plain.csv", 2, nil),
      (
        "fit @stray.csv --out @m.safetensors", 2,
        "@stray.csv, row 4, column 2: expected a number in \"b\", got \"x\"; "
          + "--without b leaves the column out"
      ),
      (
        "fit @data.csv --columns height,size --out @m.safetensors", 2,
        "@data.csv, row 1: expected a column size, got kind, height, weight"
      ),
      ("fit @data.csv --without size --out @m.safetensors", 2, nil),
      (
        "fit @plain.csv --log age --out @m.safetensors", 2,
        "expected a column to fit for --log, got age; there are height,weight; flow fit --help says more"
      ),
      ("fit @data.csv --columns height --without kind --out @m.safetensors", 2, nil),
      (
        "fit @plain.csv --out @plain.csv", 2,
        "expected a name that ends in .safetensors for --out, got @plain.csv; flow fit --help says more"
      ),
      (
        "fit @plain.csv --out @none/m.safetensors", 2,
        "@none/m.safetensors: expected a folder to write to, got none at @none/"
      ),
      (
        "fit @semicolons.csv --separator comma --out @m.safetensors", 2,
        "@semicolons.csv, row 2, column 2: expected 1 field, as in row 1, got 2; repair the row, or say what "
          + "is between fields by --separator"
      ),
      (
        "fit @thousands.csv --out @m.safetensors", 2,
        "@thousands.csv, row 2, column 1: expected a number in \"a\", got \"1,234\"; write it without "
          + "separators of thousands, or take --decimal comma"
      ),
      ("fit @one.csv --out @m.safetensors", 2, "@one.csv: expected at least 2 rows, got 1"),
      (
        "fit @plain.csv --seed x --out @m.safetensors", 2,
        "expected a whole number for --seed, got x; flow fit --help says more"
      ),
      ("fit @plain.csv --learning-rate 1000 --epochs 40 --out @m.safetensors", 1, nil),
      (
        "fit @plain.csv --steps 5 --max-time 3 --out @m.safetensors", 2,
        "--steps does not go with --max-time: both say how long to train; flow fit --help says more"
      ),
      ("fit @plain.csv --architecture auto,nsf --out @m.safetensors", 2, nil),
      (
        "fit @plain.csv --architecture nsf,nsf --out @m.safetensors", 2,
        "--architecture names nsf twice; flow fit --help says more"
      ),
      (
        "sample @m --out @m.xlsx", 2,
        "expected a name that ends in .csv, .tsv, .npy for --out, got @m.xlsx; flow sample --help says more"
      ),
      (
        "sample @m --picture @m.png", 2,
        "expected a name that ends in .svg for --picture, got @m.png; flow sample --help says more"
      ),
    ] as [(String, Int32, String?)])
  func wrongLinesAndFilesGiveOneLine(line: String, code: Int32, message: String?) async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("semicolons.csv", "a;b\n1,5;2\n3,1;4\n")
    try place.write("one.csv", "a,b\n1,2\n")
    try place.write("stray.csv", "a,b\n1,2\n3,4\n5,x\n")
    try place.write("thousands.csv", "a,b\n\"1,234\",2\n\"5,678\",3\n")
    let outcome = await place.flow(line)
    #expect(outcome.code == code)
    let error = try #require(outcome.error)
    #expect(!error.contains("\n"))
    if let message { #expect(error.replacingOccurrences(of: place.folder + "/", with: "@") == message) }
  }

  @Test func constantColumnsAreNamed() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("flat.csv", "a,b\n1,2\n3,2\n")
    let kept = try await place.json("fit @flat.csv \(small) --out @m.safetensors")
    #expect(kept["schema"]?["columns"]?.array?.last?["kind"] == "constant")
    let outcome = await place.flow("fit @flat.csv --type continuous --out @m.safetensors")
    #expect(
      outcome.error?.hasSuffix(
        "column 2: expected different numbers, got the same number in all rows: a constant has no density; "
          + "leave it out by --without b") == true)
    let fitted = try await place.json("fit @flat.csv --without b \(small) --out @m.safetensors")
    #expect(fitted["columns"] == 1)
  }

  @Test func headersMayBeQuoted() async throws {
    let place = try Workplace()
    defer { place.remove() }
    try place.write("quoted.csv", "\"a,\"\"b\",c\n1,2\n3,5\n4,1\n")
    let fitted = try await place.json("fit @quoted.csv --without c \(small) --out @m.safetensors")
    #expect(fitted["columns"] == 1)
    #expect(try Model.read(place["m.safetensors"]).columns == ["a,\"b"])
    _ = try await place.json("score @m.safetensors @quoted.csv")
  }

  /// Two columns of other names are not the model's two columns.
  @Test func columnsOfOtherNamesAreRefused() async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json("fit @data.csv --without kind \(small) --out @m.safetensors")
    try place.write("others.csv", "weight,age\n1,2\n3,2\n")
    let outcome = await place.flow("score @m.safetensors @others.csv")
    #expect(outcome.code == 2)
    #expect(
      outcome.error?.hasSuffix(
        "expected the columns height,weight, as the model was fitted to, got no height")
        == true)
  }

  /// weight given height: what the noise leaves is known, and so is the mean, in the data's own units.
  @Test func conditions() async throws {
    let place = try Workplace()
    defer { place.remove() }
    let settings =
      "--architecture maf --layers 2 --hidden 16 --epochs 150 --patience 150 --learning-rate 0.02 "
      + "--batch-size 45"
    let fitted = try await place.json(
      "fit @data.csv --without kind --context height \(settings) --out @m.safetensors")
    #expect(fitted["columns"] == 1)
    let score = try await place.json("score @m.safetensors @data.csv --picture @c.svg")
    _ = try await place.json("fit @plain.csv \(small) --out @joint.safetensors")
    // What the noise leaves of weight has deviation 0.5.
    let truth = -0.5 * (1 + log(Tensor(2 * Double.pi * 0.25, dtype: .float64)).item)
    let mean = try #require(score["mean_log_likelihood"]?.number)
    #expect(abs(mean - truth) < 0.3, "\(mean), of at most about \(truth)")
    var means: [Double] = []
    for height in [970, 1030] {
      _ = try await place.json(
        "sample @m.safetensors --given height=\(height) --count 2000 --out @s\(height).csv")
      let draws = try CSV.read(place["s\(height).csv"])
      #expect(draws.names == ["weight"])
      means.append(draws.values.mean().item)
    }
    // The slope of weight by height is 10 / 30.
    #expect(abs(means[1] - means[0] - 20) < 2, "\(means)")
    #expect(try await place.json("check @m.safetensors --given height=1000")["passes"] == true)
    #expect(try await place.json("check @m.safetensors --data @data.csv")["passes"] == true)
    // A picture shows the rows of a like context alone, or none with a warning.
    func marks(_ options: String) async throws -> Int {
      let drawn = try await place.json(
        "sample @m.safetensors --count 20 --picture @p.svg --data @data.csv \(options)")
      #expect((drawn["warnings"]?.array?.count ?? 0) == (options.contains("1300") ? 1 : 0))
      return try String(contentsOfFile: place["p.svg"], encoding: .utf8).count
    }
    let (near, far) = (try await marks("--given height=1000"), try await marks("--given height=1300"))
    #expect(near > far)
    #expect(try await place.json("describe @m.safetensors")["context"] == ["height"])

    for (line, message) in [
      ("sample @m.safetensors", "this model needs --given height=NUMBER; flow sample --help says more"),
      (
        "sample @m.safetensors --given size=3",
        "expected height=NUMBER for --given, got size=3; flow sample --help says more"
      ),
      (
        "sample @joint.safetensors --given height=3",
        "--given is for models that were fitted with --context or --type; flow sample --help says more"
      ),
      (
        "fit @data.csv --columns height --context height --out @m.safetensors",
        "--columns and --context both name height; flow fit --help says more"
      ),
    ] {
      let outcome = await place.flow(line)
      #expect(outcome.code == 2 && outcome.error == message, "\(outcome)")
    }
    let plain = await place.flow("score @m.safetensors @data.npy")
    #expect(plain.code != 0)
  }

  @Test func modelsThatLieAreRefused() async throws {
    let place = try Workplace()
    defer { place.remove() }
    _ = try await place.json("fit @plain.csv \(small) --out @m.safetensors")
    let file = try SafeTensors.read(place["m.safetensors"])
    for (name, value) in [
      ("architecture", "gpt"), ("arguments", "{}"), ("arguments", "{\"layers\": 1000000}"), ("width", "x"),
      ("arguments", "{\"layers\": 900, \"hidden\": [90000], \"bins\": 8, \"bound\": 3}"), ("width", "900000"),
      ("architecture", "ot-flow"),
      ("width", "3"), ("columns", "[1]"), ("standardized", "false"), ("dtype", "float64"),
      ("arguments", "{\"layers\": 3, \"hidden\": [8], \"bins\": 8, \"bound\": 3}"),
    ] {
      var metadata = file.metadata.filter { $0.key != "frozen" }
      metadata[name] = value
      try SafeTensors(file.tensors, metadata: metadata).write(to: place["lie.safetensors"])
      let outcome = await place.flow("score @lie.safetensors @plain.csv")
      #expect(outcome.code == 2 && outcome.error != nil, "\(name): \(value)")
    }
  }

  @Test func helpExplainsEverything() async {
    let place = await FlowCommand.run(["--help"])
    #expect(place.code == 0)
    for command in FlowCommand.subcommands {
      #expect(place.output.contains(command.name))
      let help = await FlowCommand.run([command.name, "--help"])
      #expect(help.code == 0 && help.output.contains("Examples:"))
      #expect(await FlowCommand.run(["help", command.name]).output == help.output)
      for option in command.options { #expect(help.output.contains(option.name)) }
      // The examples are lines that the parser takes.
      for example in command.examples {
        let words = example.split(separator: " ").map(String.init)
        #expect(words.prefix(2) == ["flow", command.name])
        #expect(throws: Never.self) {
          try Arguments(
            Array(words.dropFirst(2)), options: command.options + [.init(flag: "json", "")],
            operands: command.operands)
        }
      }
    }
  }
}
