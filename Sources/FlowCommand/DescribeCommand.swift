import Arguments
import FittedModels
import Flows

/// `flow describe`: prints the content of a model file.
enum DescribeCommand: Subcommand {
  static let name = "describe"
  static let purpose = "Print the content of a model file: architecture, columns, layers, training."
  static let operands = ["MODEL"]
  static let options: [Arguments.Option] = []
  static let examples = ["flow describe model.safetensors", "flow describe model.safetensors --json"]

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    let path = arguments.operands[0]
    let file = try SafeTensors.read(path)
    guard file.metadata["architecture"] != nil else { return tree(of: file) }
    if let mixed = try MixedModel.read(file, from: path) { return try mixed.description(file) }
    let model = try Model.read(file, from: path)
    let columns = model.columns ?? []
    let given = model.given.map { " given \($0.columns.joined(separator: ", "))" } ?? ""
    func note(_ name: String) -> String { model.notes[name] ?? "unknown" }
    // The layers of the member with the most.
    let layers = zip(model.flows, model.members).max { $0.1.layers < $1.1.layers }!.0
    let weights = model.members.count == 1 ? [1] : model.params["logWeights"].softmax(axis: 0).doubles
    let members =
      weights.count == 1
      ? "one flow"
      : "\(weights.count) flows, mixed with weights \(weights.map(decimals).joined(separator: ", "))"
    let texts = model.members.map { model.architecture.json($0).text }
    let arguments = texts.indices.filter { $0 == 0 || texts[$0] != texts[$0 - 1] }.map { texts[$0] }
    let logs = (model.scales?.logs ?? []).indices.filter { model.scales!.logs[$0] }.map {
      model.columns?[$0] ?? "#\($0 + 1)"
    }
    let training =
      privateTraining(model.notes)
      ?? "trained: at most \(note("steps")) steps per fit, epochs \(note("epochs")) in all, "
      + "seed \(note("seed")), training loss \(note("training_loss")), validation loss "
      + "\(note("validation_loss")) nats"
    let text = """
      \(model.architecture.name): \(model.architecture.purpose)
      arguments: \(arguments.joined(separator: "; "))
      members: \(members)
      columns: \(columns.isEmpty ? "\(model.width)" : onOneLine(columns.joined(separator: ", ") + given))
      standardized: \(model.isStandardized ? "yes" : "no"), \(model.dtype)\(logs.isEmpty ? "" : ", logs of ")\
      \(logs.joined(separator: ", "))
      parameters: \(model.params.learnedCount) in all members
      \(training)
      swift-flows \(note("swift-flows"))

      \(model.members.count > 1 ? "the largest member:\n" : "")\
      \(try layers.summary(inputDim: Shape([model.width]), contextDim: model.contextDim))
      """
    return Report(
      text: text,
      json: [
        "architecture": .string(model.architecture.name),
        "arguments": model.arguments, "members": .integer(model.members.count),
        "width": .integer(model.width), "columns": model.columns.map(JSON.strings) ?? .null,
        "context": model.given.map { .strings($0.columns) } ?? .null,
        "standardized": .bool(model.isStandardized), "log": .strings(logs),
        "dtype": .string("\(model.dtype)"),
        "parameters": .integer(model.params.learnedCount), "metadata": .strings(file.metadata),
      ])
  }

  /// Describes a file without an architecture by its tensors.
  private static func tree(of file: SafeTensors) -> Report {
    let notes = file.metadata.filter { $0.key != "frozen" }.sorted { $0.key < $1.key }
    let text =
      notes.map { "\($0.key): \($0.value)" }
      + ["no architecture; load it in code, by tree:", file.tree.outline]
    let tensors = file.tensors.map { name, value -> JSON in
      [
        "name": .string(name), "shape": .array(value.shape.sizes.map(JSON.integer)),
        "dtype": .string("\(value.dtype)"),
      ]
    }
    return Report(
      text: text.joined(separator: "\n"),
      json: ["architecture": .null, "tensors": .array(tensors), "metadata": .strings(file.metadata)])
  }
}

/// The guarantee of a private fit, as its model file has it; nil for other models.
func privateTraining(_ notes: [String: String]) -> String? {
  guard let isPrivate = notes["private"] else { return nil }
  func note(_ name: String) -> String { notes[name] ?? "unknown" }
  return (isPrivate == "true" ? "trained privately" : "trained with known noise, NOT private")
    + ": epsilon \(note("epsilon")) at delta \(note("delta")), \(note("steps")) steps, "
    + "rate \(note("sampling_rate")), noise \(note("noise"))"
}
