import Flows
import Foundation
import Testing

@testable import flow

/// `flow fit --private` on command lines.
@Suite final class PrivateFitCommandTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let rows = (0..<300).map { "\(20 + $0 % 60),\(1000 + 37 * ($0 % 91)),\($0)" }
    try (["age,income,id"] + rows).joined(separator: "\n").write(
      to: folder.appending(path: "people.csv"), atomically: true, encoding: .utf8)
  }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private static let numbers =
    "--epsilon 3 --delta 1e-5 --sampling-rate 0.05 --expected-batch 15 --steps 3 "
    + "--points 1024"

  private func flow(_ line: String) async -> FlowCommand.Outcome {
    let (data, model) = (
      folder.appending(path: "people.csv").path, folder.appending(path: "m.safetensors").path
    )
    let words = line.split(separator: " ").map { $0 == "DATA" ? data : $0 == "MODEL" ? model : String($0) }
    return await FlowCommand.run(words)
  }

  private func fit(_ options: String) async -> FlowCommand.Outcome {
    await flow("fit DATA --out MODEL --progress none --private \(options)")
  }

  @Test func aPrivateModel() async throws {
    let outcome = await fit(
      "--bounds age:17:90,income:0:5000 --architecture realnvp --layers 2 --hidden 8 --json \(Self.numbers)")
    #expect(outcome.code == 0, "\(outcome)")
    let json = try JSON(parsing: Array(outcome.output.utf8))
    let epsilon = try #require(json["epsilon"]?.number)
    #expect(epsilon <= 3 && epsilon > 2.5 && json["private"] == true && json["rows"] == nil)
    #expect(json["epsilon_lower"]!.number! <= epsilon && json["epsilon_rdp"]!.number! >= epsilon)
    #expect(json["warnings"]?.array?.count == 1)

    let file = try SafeTensors.read(folder.appending(path: "m.safetensors").path)
    for name in ["epsilon", "delta", "sampling_rate", "noise", "steps"] {
      #expect(file.metadata[name] != nil, "\(name)")
    }
    for name in ["seed", "key", "rows", "training_loss"] { #expect(file.metadata[name] == nil, "\(name)") }
    #expect(await flow("describe MODEL").output.contains("trained privately: epsilon 2."))
    // Scores and draws cost nothing more.
    #expect(await flow("sample MODEL --count 5").code == 0)

    // The noise differs from run to run.
    let first = try Data(contentsOf: folder.appending(path: "m.safetensors"))
    _ = await fit(
      "--bounds age:17:90,income:0:5000 --architecture realnvp --layers 2 --hidden 8 \(Self.numbers)")
    #expect(try Data(contentsOf: folder.appending(path: "m.safetensors")) != first)
  }

  @Test func aSeedIsNotPrivate() async throws {
    let line =
      "--bounds age:17:90 --architecture nsf --layers 1 --hidden 4 --not-private-seed 3 \(Self.numbers)"
    let outcome = await fit(line)
    #expect(outcome.code == 0 && outcome.output.contains("NOT private"))
    #expect(outcome.warnings.contains { $0.contains("NOT private") })
    let first = try Data(contentsOf: folder.appending(path: "m.safetensors"))
    _ = await fit(line)
    #expect(try Data(contentsOf: folder.appending(path: "m.safetensors")) == first)
    #expect(await flow("describe MODEL").output.contains("NOT private"))
  }

  @Test(arguments: [
    (numbers, "--private needs --bounds"),
    ("--bounds age:17:90", "--private needs --epsilon"),
    ("--bounds age:17:90 --validation 0.1 \(numbers)", "--validation does not go with --private"),
    ("--bounds age:17:90 --max-time 5 \(numbers)", "--max-time does not go with --private"),
    ("--bounds age:17:90 --epochs 5 \(numbers)", "--epochs does not go with --private"),
    ("--bounds age:17:90 --context income \(numbers)", "--context does not go with --private"),
    ("--bounds age:17:90 --no-standardize \(numbers)", "--no-standardize does not go with --private"),
    ("--bounds age:90:17 \(numbers)", "expected a column with two rising bounds"),
    ("--bounds age:17 \(numbers)", "expected a column with two rising bounds"),
    ("--bounds wealth \(numbers)", "expected a column wealth"),
    ("--bounds age --bounds-share 2 \(numbers)", "--bounds-share"),
    ("--bounds age --checkpoint c.safetensors \(numbers)", "--checkpoint needs --bounds of all columns"),
    ("--bounds age:0:90 --log age \(numbers)", "expected bounds above 0 for age"),
    ("--bounds wealth:0:90 \(numbers)", "expected a column wealth"),
    ("--bounds age:17:90,income:0:9 --architecture nsf,maf \(numbers)", "takes one architecture"),
    ("--bounds age:17:90 --architecture cnf \(numbers)", "takes one architecture"),
  ]) func refusals(_ options: String, _ message: String) async {
    let outcome = await fit(options)
    #expect(outcome.code == 2 && outcome.error?.contains(message) == true, "\(outcome)")
  }

  /// Bounds that are not given are bought, and the noise of the steps makes room for them.
  @Test func boughtBounds() async throws {
    let options =
      "--epsilon 20 --bounds-share 0.5 --delta 1e-5 --sampling-rate 0.05 --expected-batch 15 --steps 3 "
      + "--points 4096 --architecture realnvp --layers 2 --hidden 8 --not-private-seed 5 --json"
    func fit(_ bounds: String) async throws -> JSON {
      let outcome = await self.fit("\(bounds) \(options)")
      #expect(outcome.code == 0, "\(outcome)")
      return try JSON(parsing: Array(outcome.output.utf8))
    }
    let (given, bought) = (
      try await fit("--bounds age:17:90,income:100:9000"),
      try await fit("--bounds age:17:90,income --log income")
    )
    #expect(given["bought_bounds"] == nil)
    let poor = await self.fit("--bounds age --bounds-share 0.01 \(Self.numbers)")
    #expect(poor.code == 1 && poor.error?.contains("too few rows to find the range of age") == true)
    let ends = bought["bought_bounds"]?["income"]?.array?.compactMap(\.number) ?? [0, 0]
    #expect(ends[0] > 100 && ends[0] <= 1_000 && ends[1] >= 4_330 && ends[1] < 20_000, "\(ends)")
    #expect(bought["noise"]!.number! > given["noise"]!.number! && bought["epsilon"]!.number! <= 20)
  }

  @Test func optionsOfPrivateFitsNeedTheFlag() async {
    let outcome = await flow("fit DATA --out MODEL --epsilon 3")
    #expect(outcome.code == 2 && outcome.error?.contains("--epsilon needs --private") == true, "\(outcome)")
  }

  /// A table of mixed columns needs a declared schema.
  @Test func aPrivateModelOfAMixedTable() async throws {
    let path = folder.appending(path: "schema.json")
    func declare(_ columns: String) throws {
      try "{\"columns\": [\(columns)]}".write(to: path, atomically: true, encoding: .utf8)
    }
    let options = "--schema \(path.path) --hidden 8 --bins 4 \(Self.numbers)"
    try declare(
      #"{"name": "age", "levels": [\#((20..<80).map { "\"\($0)\"" }.joined(separator: ","))]}, "#
        + #"{"name": "income", "bounds": [1000, 3000], "places": 0, "log": true}"#)
    let outcome = await fit("\(options) --json")
    #expect(outcome.code == 0, "\(outcome)")
    let json = try JSON(parsing: Array(outcome.output.utf8))
    // Both parts count, so each step has more noise than one part alone needs.
    #expect(json["columns"] == 2 && json["epsilon"]!.number! <= 3)
    #expect(await flow("describe MODEL").output.contains("trained privately: epsilon 2."))
    let draws = await flow("sample MODEL --count 20").output.split(separator: "\n").dropFirst()
    #expect(
      draws.count == 20
        && draws.allSatisfy { (1_000...3_000).contains(Int($0.split(separator: ",")[1]) ?? 0) })

    // Bounds that are bought, too.
    try declare(#"{"name": "income", "bounds": "bought", "places": 0, "log": true}"#)
    let rich = "\(options) --epsilon 60".replacing("--epsilon 3 ", with: "")
    let bought = await fit("\(rich) --not-private-seed 5")
    #expect(bought.code == 0 && bought.output.contains("bought bounds of income"), "\(bought)")

    for (columns, message) in [
      (#"{"name": "id", "levels": ["1"]}"#, "more than one level"),
      (#"{"name": "income", "bounds": [-1.7e308, 1.7e308]}"#, #"column "income""#),
      (#"{"name": "income", "bounds": [0, 1e300], "places": 2}"#, #"column "income""#),
      (#"{"name": "income", "bounds": "bough"}"#, #"column "income""#),
      (#"{"name": "age"}"#, #"column "age""#), (#"{"levels": ["a"]}"#, "a name of its own"),
      (#"{"name": "age", "bounds": [9, 1]}"#, #"column "age""#), ("1", "a name of its own"),
      (#"{"name": "age", "bounds": [1, 90], "widths": 3}"#, #"column "age""#),
      (#"{"name": "age", "levels": ["20", "21"]}"#, "expected one of 20"),
    ] {
      try declare(columns)
      let refused = await fit(options)
      #expect(refused.code == 2 && refused.error?.contains(message) == true, "\(refused)")
    }
    let both = await fit("\(options) --bounds age:1:90")
    #expect(both.code == 2 && both.error?.contains("--bounds does not go with --schema") == true)
  }
}
