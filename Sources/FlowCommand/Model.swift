import Flows

/// A trained flow with what is needed to build it again: one file.
struct Model {
  let architecture: Architecture
  let settings: Architecture.Settings
  let width: Int
  let isStandardized: Bool
  /// The columns' names, where the data had some.
  let columns: [String]?
  let dtype: DType
  let params: Params
  /// What its rows are conditioned on, if anything.
  var given: Given?
  /// What else the file says: seed, epochs, losses, version.
  var notes: [String: String] = [:]

  /// The flow; the numbers of the standardization come from the parameters.
  var flow: Flow {
    Model.flow(architecture, settings, standardizing: isStandardized ? .identity(width) : nil)
  }

  /// A preset behind a standardization.
  static func flow(
    _ architecture: Architecture, _ settings: Architecture.Settings, standardizing: Standardize?
  ) -> Flow {
    let preset = architecture.build(settings)
    guard let standardizing else { return preset }
    return Flow(Serial(standardizing, preset.bijection), prior: preset.prior)
  }

  /// The functions of the flow, in a dtype.
  func functions(_ dtype: DType) throws(FlowError) -> (logPDF: LogPDF, sample: Sampler) {
    let (_, logPDF, sample) = try flow(
      Key(0), inputDim: Shape([width]), contextDim: Model.contextDim(given), dtype: dtype)
    return (logPDF, sample)
  }

  /// The shape of a context.
  static func contextDim(_ given: Given?) -> Shape? { given.map { Shape([$0.columns.count]) } }

  func write(to path: String) throws(FlowError) {
    var metadata = notes
    metadata["swift-flows"] = libraryVersion
    metadata["architecture"] = architecture.name
    metadata["arguments"] = architecture.json(settings).text
    metadata["width"] = "\(width)"
    metadata["standardized"] = "\(isStandardized)"
    metadata["dtype"] = "\(dtype)"
    if let columns { metadata["columns"] = JSON.array(columns.map(JSON.string)).text }
    if let given { metadata["given"] = given.json.text }
    try SafeTensors(params, metadata: metadata).write(to: path)
  }

  /// The model in a file that `flow fit` wrote.
  ///
  /// Throws `FlowError.file` for a file without a known architecture, `.structure` with both trees where the parameters do
  /// not fit the architecture.
  static func read(_ path: String) throws(FlowError) -> Model {
    let file = try SafeTensors.read(path)
    func wrong(_ message: String) -> FlowError { .file(path: path, row: nil, column: nil, message: message) }
    func json(_ name: String) -> JSON? {
      file.metadata[name].flatMap { try? JSON(parsing: Array($0.utf8)) }
    }
    guard let name = file.metadata["architecture"] else {
      throw wrong(
        "expected a model that flow fit wrote, got tensors without an architecture; load them in code, by tree"
      )
    }
    guard let architecture = Architecture.named(name) else {
      let names = Architecture.all.map(\.name).joined(separator: ", ")
      throw wrong("expected one of the architectures \(names), got \(name)")
    }
    guard let settings = json("arguments").flatMap(architecture.settings) else {
      throw wrong("expected the arguments of \(name), got \(file.metadata["arguments"] ?? "none")")
    }
    guard let width = Int(file.metadata["width"] ?? ""), (1...1_000_000).contains(width) else {
      throw wrong("expected a width, got \(file.metadata["width"] ?? "none")")
    }
    let columns = json("columns")?.array?.compactMap(\.string)
    guard columns == nil || columns?.count == width else {
      throw wrong("expected \(width) names of columns, got \(file.metadata["columns"] ?? "none")")
    }
    let given = json("given").flatMap(Given.init)
    guard given != nil || file.metadata["given"] == nil else {
      throw wrong(
        "expected columns that rows are conditioned on, with mean and deviation, got something else")
    }
    let isStandardized = file.metadata["standardized"] == "true"
    let dtype: DType = file.metadata["dtype"] == "float64" ? .float64 : .float32
    // A width or a layer that a file lies about would ask for memory: the numbers must be there.
    let count = file.tensors.reduce(0) { $0 + $1.value.count }
    guard width * settings.layers <= 4 * count + 64, given?.columns.count ?? 0 <= count,
      settings.hidden.reduce(0, +) <= count + 64
    else {
      throw wrong("expected parameters for \(settings.layers) layers of width \(width), got \(count) numbers")
    }
    let flow = flow(architecture, settings, standardizing: isStandardized ? .identity(width) : nil)
    let (template, _, _) = try flow(
      Key(0), inputDim: Shape([width]), contextDim: contextDim(given), dtype: dtype)
    return Model(
      architecture: architecture, settings: settings, width: width, isStandardized: isStandardized,
      columns: columns, dtype: dtype, params: try file.tree(under: "", like: template, who: path),
      given: given, notes: file.metadata)
  }
}

extension Standardize {
  /// A standardization that changes nothing: a place for the numbers of a file.
  static func identity(_ width: Int) -> Standardize {
    Standardize(mean: .zeros([width]), deviation: .ones([width]))
  }
}
