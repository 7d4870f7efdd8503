import Arguments
import FittedModels
import Flows

/// `flow sample`: draws rows from a model.
enum SampleCommand: Subcommand {
  static let name = "sample"
  static let purpose = "Draw new rows, in the data's own units."
  static let operands = ["MODEL"]

  private static let ownOptions: [Arguments.Option] = [
    .init("count", "N", default: "1000", "how many rows"),
    .init(
      "first", "K", default: "0",
      "the number of the first row: parts of one long sample, drawn one by one, are the whole"),
    .seed,
    .init("out", "FILE", "the file to write (.csv, .tsv or .npy); by default, CSV on standard output"),
    .init(
      "given", "A=X,...",
      "the context, for a model fitted with --context; values of any columns, for one of a mixed table"),
    .init("picture", "FILE", "draw all columns of numbers against each other (.svg)"),
    .init("data", "FILE", "rows to show beside the draws in the picture"), .device,
    .progress,
  ]

  static let options = ownOptions + TableFile.options

  static let examples = [
    "flow sample model.safetensors --count 1000 --seed 0 --out new.npy",
    "flow sample given-age-and-sex.safetensors --given age=40,sex=1 --out new.csv",
    "flow sample diamonds.safetensors --given cut=Ideal,price=1000 --out ideal.csv",
    "flow sample model.safetensors --first 5000000 --count 1000000 --out part-5.npy",
    "flow sample model.safetensors --picture new.svg --data data.csv --out new.csv",
  ]

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    let count = try arguments.integer("count", in: 1...1_000_000_000)
    let first = try arguments.integer("first", in: 0...1_000_000_000_000)
    let seed = try arguments.seed()
    let progress = try arguments.progress()
    guard arguments.value("data") == nil || arguments.value("picture") != nil else {
      throw UsageError("--data goes with --picture FILE")
    }
    let out = try Output.path("out", Output.tables, in: arguments)
    let picture = try Output.path("picture", [".svg"], in: arguments)
    let device = try arguments.device()
    let content = try SafeTensors.read(arguments.operands[0])
    if let mixed = try MixedModel.read(content, from: arguments.operands[0]) {
      try arguments.requireNoDevice(for: "mixed columns")
      return try sample(
        mixed, arguments, seed: seed, first..<first + count, to: out, picture: picture, notices)
    }
    let model = try Model.read(content, from: arguments.operands[0])
    let context = try model.context(arguments, noting: notices)
    if let out, picture == nil, device == nil {
      let writer = try Table.writer(to: out, columns: model.columns, rows: count)
      try model.draws(Key(seed), count: count, from: first, given: context, progress: progress) {
        try writer.append($0)
      }
      try writer.finish()
      return Report(
        text: "wrote \(counted(count, "row")) to \(out)\n",
        json: .object(json(first..<first + count, seed) + [.init("out", .string(out))]))
    }
    guard count <= Int(Int32.max) / max(model.width, 1) else {
      throw UsageError("expected fewer than 2^31 numbers, got \(count) rows of \(model.width)")
    }
    let draws = try model.draws(
      Key(seed), count: count, from: first, given: context, on: device, progress: progress)
    var json = json(first..<first + count, seed)
    var text = ""
    if let out {
      try Table.write(draws, columns: model.columns, to: out)
      json.append(.init("out", .string(out)))
      text += "wrote \(counted(count, "row")) to \(out)\n"
    } else if picture == nil {
      text = CSV(names: model.columns, values: draws).text()
      if arguments.has("json") {
        let (numbers, width) = (draws.doubles, model.width)
        let rows = (0..<count).map { JSON.array(numbers[$0 * width..<($0 + 1) * width].map(JSON.number)) }
        json.append(.init("rows", .array(rows)))
      }
    }
    if let picture {
      let data = try arguments.value("data").flatMap { path in
        try comparable(Table.read([path], for: model, arguments, noting: notices), context, model, notices)
      }
      let groups = (data.map { [CornerPlot.Series("data", $0)] } ?? []) + [CornerPlot.Series("draws", draws)]
      let names = model.columns ?? (1...model.width).map { "column \($0)" }
      try CornerPlot("Draws from a model", series: groups, names: names).write(to: picture)
      json.append(.init("picture", .string(picture)))
      let shown = CornerPlot.mostColumns
      text +=
        "wrote \(picture)\(model.width > shown ? ", the first \(shown) of \(model.width) columns" : "")\n"
    }
    return Report(text: text, json: .object(json))
  }

  /// The members that say which rows were drawn.
  static func json(_ rows: Range<Int>, _ seed: Int) -> [JSON.Member] {
    let first = rows.lowerBound == 0 ? [] : [JSON.Member("first", .integer(rows.lowerBound))]
    return first + [.init("count", .integer(rows.count)), .init("seed", .integer(seed))]
  }

  /// The rows of a table to show beside draws: all of them, or those with a context near the given one.
  ///
  /// Near is within a quarter of a standard deviation in each column. It warns if fewer than ten rows are.
  private static func comparable(
    _ table: Table, _ context: Tensor?, _ model: Model, _ notices: Notices
  ) throws -> Tensor? {
    guard let context, let given = model.given, let own = table.context else { return table.values }
    let distance = abs(try given.standardized(own.values, .float64) - context.cast(to: .float64)).max(axis: 1)
    let distances = distance.doubles
    let near = distances.indices.filter { distances[$0] < 0.25 }
    guard near.count >= 10 else {
      notices.warn(
        "the picture shows draws alone: \(counted(near.count, "row")) of the data have a context near --given"
      )
      return nil
    }
    return table.values.rows(near)
  }
}
