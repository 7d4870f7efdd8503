import Arguments
import FittedModels
import Flows

// `flow sample` of a model of a mixed table.
extension SampleCommand {
  /// Draws rows, and writes them and a picture of their numbers.
  static func sample(
    _ mixed: MixedModel, _ arguments: Arguments, seed: Int, _ numbers: Range<Int>, to out: String?,
    picture: String?, _ notices: Notices
  ) throws -> Report {
    if let out, out.lowercased().hasSuffix(".npy") {
      throw UsageError(
        "a mixed table is text; expected a name that ends in .csv or .tsv for --out, got \(out)")
    }
    if picture != nil, mixed.schema.drawn.isEmpty {
      throw UsageError("--picture shows columns of numbers, and the model has none")
    }
    let given = try arguments.value("given").map(mixed.given) ?? [:]
    let (first, count) = (numbers.lowerBound, numbers.count)
    var json = json(numbers, seed)
    let separator: CSV.Separator = out?.lowercased().hasSuffix(".tsv") == true ? .tab : .comma
    if let out, picture == nil, given.isEmpty {
      // One piece at a time is in memory. Given values may need draws among all rows.
      let file = try PartialFile(out)
      for start in stride(from: first, to: first + count, by: 100_000) {
        let rows = min(100_000, first + count - start)
        let draws = try mixed.model.sample(Key(seed), count: rows, from: start)
        try file.append(Array(draws.text(separator: separator, header: start == first).utf8))
      }
      try file.finish()
      json.append(.init("out", .string(out)))
      return Report(text: "wrote \(counted(count, "row")) to \(out)\n", json: .object(json))
    }
    let draws: TableDraws
    do throws(FlowError) {
      draws = try mixed.model.sample(Key(seed), count: count, from: first, given: given)
    } catch {
      guard case .verification("given", let message) = error else { throw error }
      throw UsageError("--given: \(message)")
    }
    json += warn(of: draws, given, notices)
    var text = ""
    if let out {
      try draws.write(to: out, separator: separator)
      json.append(.init("out", .string(out)))
      text = "wrote \(counted(count, "row")) to \(out)\n"
    } else if picture == nil {
      text = draws.text()
      if arguments.has("json") {
        let columns = mixed.schema.columns
        let rows = (0..<count).map { i in
          JSON.array(columns.indices.map { columns[$0].json(draws.columns[$0][i]) })
        }
        json += [.init("columns", .strings(mixed.schema.names)), .init("rows", .array(rows))]
      }
    }
    if let picture {
      let data = try arguments.value("data").map { path in
        try comparable(
          mixed.rows([path], arguments, noting: notices).file, mixed.schema, given, notices)
      }
      try self.picture(of: draws, beside: data ?? nil).write(to: picture)
      json.append(.init("picture", .string(picture)))
      let (all, shown) = (mixed.schema.drawn.count, CornerPlot.mostColumns)
      text += "wrote \(picture)\(all > shown ? ", the first \(shown) of \(all) columns of numbers" : "")\n"
    }
    return Report(text: text, json: .object(json))
  }

  /// Warns of few effective draws, and of given values that the model finds improbable.
  private static func warn(
    of draws: TableDraws, _ given: [String: String], _ notices: Notices
  ) -> [JSON.Member] {
    var json: [JSON.Member] = []
    if let size = draws.effectiveSampleSize {
      notices.warn(
        "the rows are drawn among weighted ones, whose effective number is \(decimals(size))"
          + (size < Double(draws.count) ? ": many of them are equal" : "")
          + (size < 30 ? "; so few tell little: the given values are rare under the model" : ""))
      json.append(.init("effective_sample_size", .number(size)))
    }
    if let likelihood = draws.givenLogLikelihood {
      // A number four deviations from its mean, or one of twenty thousand levels.
      if draws.givenLogLikelihoodOfFlow ?? 0 < -10 * Double(given.count) {
        notices.warn(
          "--given is improbable under the model, with log-likelihood \(decimals(likelihood)): "
            + "it knows hardly any such rows, so the draws may be far from true ones")
      }
      json.append(.init("given_log_likelihood", .number(likelihood)))
    }
    return json
  }

  private static func picture(of draws: TableDraws, beside data: Tensor?) -> CornerPlot {
    let columns = draws.schema.drawn
    let numbers = columns.map { column in
      Tensor(draws.columns[column].map { $0.flatMap(Double.init) ?? .nan }, dtype: .float64)
    }
    let groups = data.map { [CornerPlot.Series("data", $0)] } ?? []
    return CornerPlot(
      "Draws from a model", series: groups + [CornerPlot.Series("draws", stack(numbers, axis: 1))],
      names: columns.map { draws.schema.names[$0] })
  }

  /// The numbers of a table's rows to show beside draws: all rows, or those near the given values.
  ///
  /// Near is the same text, or a number within a quarter of a standard deviation. It warns if fewer than ten
  /// rows are.
  private static func comparable(
    _ file: TableFile, _ schema: TableSchema, _ given: [String: String], _ notices: Notices
  ) throws -> Tensor? {
    guard case .texts(let table) = file else { return nil }
    func numbers(_ column: Int) -> [Double] {
      let position = table.names.firstIndex(of: schema.names[column])!
      return (0..<table.rows).map { row in
        if case .number(let x) = table.value(row: row, column: position) { x } else { .nan }
      }
    }
    var rows = Array(0..<table.rows)
    for (name, text) in given {
      let column = schema.names.firstIndex(of: name)!
      if let x = Double(text), schema.drawn.contains(column) {
        let all = numbers(column)
        let present = all.filter { !$0.isNaN }
        let mean = present.reduce(0, +) / Double(max(present.count, 1))
        let squares = present.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let deviation = (squares / Double(max(present.count, 1))).squareRoot()
        rows = rows.filter { abs(all[$0] - x) <= 0.25 * deviation }
      } else {
        let position = table.names.firstIndex(of: name)!
        rows = rows.filter { table.text(row: $0, column: position) == text }
      }
    }
    guard rows.count >= 10 || given.isEmpty else {
      notices.warn(
        "the picture shows draws alone: \(counted(rows.count, "row")) of the data are near --given")
      return nil
    }
    return stack(schema.drawn.map { Tensor(numbers($0), dtype: .float64) }, axis: 1).rows(rows)
  }
}

extension TableSchema {
  /// The columns of numbers, which pictures show.
  var drawn: [Int] { columns.indices.filter { [.continuous, .integer].contains(columns[$0].kind) } }
}
