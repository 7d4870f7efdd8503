import Arguments
import FittedModels
import Flows

/// A model of a table of mixed columns, stored in one file.
struct MixedModel {
  let architecture: Architecture
  /// The settings of each member of the mixture of flows.
  let members: [Architecture.Settings]
  let model: TableModel
  /// The other metadata: seed, losses, version.
  var notes: [String: String] = [:]

  var schema: TableSchema { model.schema }
  var boundWords: String { schema.isBound ? "at least " : "" }

  func write(to path: String) throws(FlowError) {
    let all = members.map(architecture.json)
    let own = [
      "swift-flows": libraryVersion, "architecture": architecture.name,
      "arguments": (all.count == 1 ? all[0] : .array(all)).text, "dtype": "\(model.dtype)",
      "schema": schema.text,
    ]
    try SafeTensors(model.params, metadata: notes.merging(own) { $1 }).write(to: path)
  }

  /// Reads the content of a model file; nil for a model of numbers alone.
  ///
  /// - Throws: `FlowError.file` for a damaged schema or architecture, `.structure` for other parameters.
  static func read(_ file: SafeTensors, from path: String) throws(FlowError) -> MixedModel? {
    guard let text = file.metadata["schema"] else { return nil }
    let (architecture, members) = try Model.design(file, from: path)
    guard let schema = try? TableSchema(parsing: text) else {
      throw .inFile(path, "expected the schema of a table, got something else")
    }
    let features = schema.featureCount
    guard features == 0 || file["codes/direct"]?.count == features.multipliedReportingOverflow(by: features).0
    else { throw .inFile(path, "expected parameters for \(features) levels, got others") }
    try Model.checkSize(file, members, width: schema.numberCount, contexts: features, path)
    let dtype: DType = file.metadata["dtype"] == "float64" ? .float64 : .float32
    let flows = members.map(architecture.build)
    let template = try TableModel(schema, flows: flows, dtype: dtype).params
    let params = try file.tree(like: template, who: path)
    return MixedModel(
      architecture: architecture, members: members,
      model: try TableModel(schema, flows: flows, params: params, dtype: dtype), notes: file.metadata)
  }

  /// Reads files of rows to score. They are tables as text.
  func rows(
    _ paths: [String], _ arguments: Arguments, noting notices: Notices
  ) throws -> (file: TableFile, rows: TableRows) {
    let file = try TableFile.read(paths, arguments, known: schema.names, noting: notices)
    guard case .texts(let table) = file else {
      throw FlowError.inFile(
        file.source,
        "expected a table as text with the columns \(schema.names.joined(separator: ",")), "
          + "as the model was fitted to, got an array")
    }
    var broken: [FlowError] = []
    let rows = try schema.encode(table) { broken.append($0) }
    if let first = broken.first {
      let others = broken.count > 1 ? "; so do \(broken.count - 1) more values" : ""
      notices.warn("log-likelihood -inf, since a value breaks a rule of the fit: \(first)\(others)")
    }
    return (file, rows)
  }
}

extension MixedModel {
  /// The model of real numbers alone, given the codes' indicators.
  func numbersModel() throws(UsageError) -> Model {
    guard schema.hasNumbers else {
      throw UsageError("expected a model with real numbers, got one of levels alone, which has no flow")
    }
    let names = (0..<schema.featureCount).map { "\($0)" }
    let given = names.isEmpty ? nil : Given(names, of: .zeros([2, names.count]))
    return Model(
      architecture: architecture, members: members, width: schema.numberCount, isStandardized: false,
      columns: nil, dtype: model.dtype, params: model.params.child("numbers"), given: given)
  }

  /// The values of columns in a text such as `cut=Ideal,price=1000`.
  func given(_ text: String) throws(UsageError) -> [String: String] {
    var given: [String: String] = [:]
    for part in try Table.fields(of: text, in: "given") {
      let marks = part.indices.filter { part[$0] == "=" }
      let mark = marks.first { mark in schema.names.contains(String(part[..<mark]).trimmed) }
      guard let mark else {
        throw UsageError(
          "expected COLUMN=VALUE,... for --given, with columns among \(schema.names.joined(separator: ",")), "
            + "got \(part)")
      }
      let name = String(part[..<mark]).trimmed
      guard given.updateValue(String(part[part.index(after: mark)...]).trimmed, forKey: name) == nil else {
        throw UsageError("expected \(name) once in --given, got it twice")
      }
    }
    return given
  }

  /// The report of `flow describe`.
  func description(_ file: SafeTensors) throws -> Report {
    let width = schema.columns.map { onOneLine($0.name).count }.max() ?? 0
    let columns = schema.columns.map { column in
      let levels = column.levels.prefix(8).joined(separator: ", ") + (column.levels.count > 8 ? ", …" : "")
      let name = onOneLine(column.name)
      let blanks = String(repeating: " ", count: width - name.count)
      return onOneLine("  \(name)\(blanks)  \(column.summary)" + (levels.isEmpty ? "" : ": \(levels)"))
    }
    func note(_ name: String) -> String { notes[name] ?? "unknown" }
    let lines =
      ["a table of mixed columns:"] + columns + [
        "levels and missing values: exact probabilities of an autoregressive network",
        "numbers: \(architecture.name), \(architecture.purpose)",
        "arguments: \(architecture.json(members[0]).text), \(counted(members.count, "member"))",
        schema.meaningOfScores,
        privateTraining(notes)
          ?? "trained: seed \(note("seed")), validation loss \(note("validation_loss")) nats, \(model.dtype)",
        "swift-flows \(note("swift-flows"))",
      ]
    return Report(
      text: lines.joined(separator: "\n"),
      json: [
        "architecture": .string(architecture.name), "arguments": .array(members.map(architecture.json)),
        "members": .integer(members.count), "columns": .strings(schema.names), "schema": schema.json,
        "bound": .bool(schema.isBound), "dtype": .string("\(model.dtype)"),
        "parameters": .integer(model.params.learnedCount), "metadata": .strings(file.metadata),
      ])
  }
}

extension TableSchema {
  /// The kinds of the columns, one line.
  var summary: String {
    let shown = columns.prefix(30).map { "\($0.name) (\($0.summary))" }.joined(separator: ", ")
    return onOneLine("columns: \(shown)") + (columns.count > 30 ? " and \(columns.count - 30) more" : "")
  }

  /// The meaning of a log-likelihood, one line.
  var meaningOfScores: String {
    let dense = columnsWithDensity
    let own =
      dense.isEmpty
      ? "the likelihood is a probability: that of each level, and of each rounded number's cell"
      : "the likelihood is a density in \(onOneLine(dense.joined(separator: ", ")))"
        + (dense.count < columns.count ? " and a probability in the others" : "")
    return own + (isBound ? "; a lower bound, because of noise in cells and in place of absent numbers" : "")
  }
}
