import Bijections
import Distributions
import Files
import Networks
import Randomness
import Tensors
import Training

/// A trained flow and its architecture, stored in one file.
package struct Model: Sendable {
  package let architecture: Architecture
  /// The settings of each member of the mixture; one for a model of a single flow.
  package let members: [Architecture.Settings]
  package let width: Int
  package let isStandardized: Bool
  /// The column names, or nil for data without names.
  package let columns: [String]?
  package let dtype: DType
  /// The parameters in the data's own units, as the file has them.
  package let params: Params
  /// The context columns of a conditional model.
  package var given: Given?
  /// The map from the data's units to those of the flow; nil for data that are taken as they are.
  package var scales: Scales?
  /// The other metadata: seed, epochs, losses, version.
  package var notes: [String: String]

  package init(
    architecture: Architecture, members: [Architecture.Settings], width: Int, isStandardized: Bool,
    columns: [String]?, dtype: DType, params: Params, given: Given? = nil,
    scales: Scales? = nil,
    notes: [String: String] = [:]
  ) {
    (self.architecture, self.members, self.width, self.isStandardized) = (
      architecture, members, width, isStandardized
    )
    (self.columns, self.dtype, self.params) = (columns, dtype, params)
    (self.given, self.scales, self.notes) = (given, scales, notes)
  }

  /// The flow of each member. The parameters hold the numbers of the standardization.
  package var flows: [Flow] {
    let identity = Standardize(mean: .zeros([width]), deviation: .ones([width]))
    return members.map { Model.flow(architecture.build($0), standardizing: isStandardized ? identity : nil) }
  }

  /// A preset flow after an optional standardization.
  package static func flow(_ preset: Flow, standardizing: Standardize?) -> Flow {
    guard let standardizing else { return preset }
    return Flow(Serial(standardizing, preset.bijection), prior: preset.prior)
  }

  /// A tree like the parameters, and the functions of the flow, in a dtype. They take `innerParams` and
  /// standardized rows, or `params` and rows in the data's units.
  package func functions(
    _ dtype: DType
  ) throws(FlowError) -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    // The parameters hold the weights.
    let distribution = Selection.mixture(of: flows, weights: members.map { _ in 1 })
    // No one takes the values of the initial parameters: they are in `params`.
    let functions = SpectralMLP.$isTemplate.withValue(true) {
      Result { () throws(FlowError) in
        try distribution(Key(0), inputDim: Shape([width]), contextDim: contextDim, dtype: dtype)
      }
    }
    return try functions.get()
  }

  /// A member's bijection in a dtype: its parameters and its functions.
  package typealias Map = (params: Params, forward: Mapping, inverse: Mapping)

  /// The members' bijections.
  package func bijections(_ dtype: DType) throws(FlowError) -> [Map] {
    var maps: [Map] = []
    for (i, flow) in flows.enumerated() {
      let (_, forward, inverse) = try flow.bijection(
        Key(0), inputDim: Shape([width]), contextDim: contextDim, dtype: dtype)
      var own = params.cast(to: dtype)
      if let scales {
        own = try Model.replacing(
          own, count: flows.count, isStandardized, mean: Tensor(scales.mean, dtype: dtype),
          deviation: Tensor(scales.deviation, dtype: dtype))
      }
      own = flows.count == 1 ? own : own.child("components").child(i)
      maps.append((own.child("bijection"), forward, inverse))
    }
    return maps
  }

  /// The shape of a context row; nil for a model without a context.
  package var contextDim: Shape? { given.map { Shape([$0.columns.count]) } }

  /// The arguments of the preset: an object, or an array with one per member.
  package var arguments: JSON {
    let all = members.map(architecture.json)
    return all.count == 1 ? all[0] : .array(all)
  }

  package func write(to path: String) throws(FlowError) {
    let own = [
      "swift-flows": libraryVersion, "architecture": architecture.name,
      "arguments": arguments.text, "width": "\(width)",
      "standardized": "\(isStandardized)", "dtype": "\(dtype)",
    ]
    var metadata = notes.merging(own) { $1 }
    if let columns { metadata["columns"] = JSON.strings(columns).text }
    if let given { metadata["given"] = given.json.text }
    if let scales { metadata["scales"] = scales.json.text }
    try SafeTensors(params, metadata: metadata).write(to: path)
  }

  /// Reads a model from a file that `flow fit` has written.
  ///
  /// - Throws: `FlowError.file` for a file without a known architecture, `.structure` with both trees for
  ///   parameters that do not fit the architecture.
  package static func read(_ path: String) throws(FlowError) -> Model {
    try read(SafeTensors.read(path), from: path)
  }

  /// Reads the content of a file, as `read` does.
  package static func read(_ file: SafeTensors, from path: String) throws(FlowError) -> Model {
    func wrong(_ message: String) -> FlowError { .inFile(path, message) }
    func text(_ name: String) -> String { file.metadata[name] ?? "none" }
    func json(_ name: String) -> JSON? { try? JSON(parsing: Array(text(name).utf8)) }
    let (architecture, members) = try design(file, from: path)
    guard let width = Int(text("width")), (1...1_000_000).contains(width) else {
      throw wrong("expected a width, got \(text("width"))")
    }
    let columns = json("columns")?.array?.compactMap(\.string)
    guard columns == nil || columns?.count == width else {
      throw wrong("expected \(width) names of columns, got \(text("columns"))")
    }
    let given = json("given").flatMap(Given.init)
    guard given != nil || file.metadata["given"] == nil else {
      throw wrong(
        "expected columns that rows are conditioned on, with mean and deviation, got something else")
    }
    let isStandardized = file.metadata["standardized"] == "true"
    let dtype: DType = file.metadata["dtype"] == "float64" ? .float64 : .float32
    try checkSize(file, members, width: width, contexts: given?.columns.count ?? 0, path)
    func model(_ params: Params, _ scales: Scales?) -> Model {
      Model(
        architecture: architecture, members: members, width: width,
        isStandardized: isStandardized,
        columns: columns, dtype: dtype, params: params, given: given, scales: scales, notes: file.metadata)
    }
    let template = try model(.empty, nil).functions(dtype).params
    let params = try file.tree(like: template, who: path)
    // Files of earlier versions have the scales in the tree alone.
    let own = isStandardized ? standardization(in: params, count: members.count) : nil
    let scales = file.metadata["scales"] == nil ? own : json("scales").flatMap(Scales.init)
    guard scales?.mean.count ?? width == width, scales != nil || !isStandardized && json("scales") == nil
    else {
      throw wrong("expected a finite mean and a positive deviation of \(width) columns, got something else")
    }
    return model(params, scales)
  }
}

extension Model {
  /// The architecture in a file, and the settings of each member.
  package static func design(
    _ file: SafeTensors, from path: String
  ) throws(FlowError) -> (architecture: Architecture, members: [Architecture.Settings]) {
    guard let name = file.metadata["architecture"] else {
      throw .inFile(
        path,
        "expected a model that flow fit wrote, got tensors without an architecture; "
          + "load them in code, by tree")
    }
    guard let architecture = Architecture.named(name) else {
      throw .inFile(path, "expected one of the architectures \(Architecture.names), got \(name)")
    }
    let text = file.metadata["arguments"] ?? "none"
    let arguments = try? JSON(parsing: Array(text.utf8))
    let all = arguments.map { $0.array ?? [$0] } ?? []
    let members = all.compactMap(architecture.settings)
    guard members.count == all.count, (1...1_000).contains(all.count) else {
      throw .inFile(path, "expected the arguments of \(name), got \(text)")
    }
    return (architecture, members)
  }

  /// Checks that a file holds enough numbers for its settings. False ones could exhaust memory.
  package static func checkSize(
    _ file: SafeTensors, _ members: [Architecture.Settings], width: Int, contexts: Int, _ path: String
  ) throws(FlowError) {
    let count = file.tensors.reduce(0) { $0 + $1.value.count }
    guard members.reduce(0, { $0 + width * $1.layers }) <= 4 * count + 64, contexts <= count,
      members.allSatisfy({ ($0.layers == 0 ? [] : $0.hidden).reduce($0.components, +) <= count + 64 })
    else {
      throw .inFile(
        path, "expected parameters for \(members[0].layers) layers of width \(width), got \(count) numbers")
    }
  }
}
