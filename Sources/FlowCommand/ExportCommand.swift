import Arguments
import FittedModels
import Flows

/// `flow export`: writes a model as programs for XLA.
enum ExportCommand: Subcommand {
  static let name = "export"
  static let purpose = "Write a model as StableHLO programs and parameters, for Python and JAX."
  static let operands = ["MODEL"]
  static let options: [Arguments.Option] = [
    .init("out", "FOLDER", "the folder to write to; it is made if it is not there"),
    .init("rows", "N", default: "256", "the rows of one call of a program; the Python reader pads"),
  ]
  static let examples = ["flow export model.safetensors --out exported"]

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    let path = arguments.operands[0]
    guard let folder = arguments.value("out") else { throw UsageError("expected --out FOLDER") }
    let rows = try arguments.integer("rows", in: 1...1_000_000)
    let file = try SafeTensors.read(path)
    if try MixedModel.read(file, from: path) != nil {
      throw FlowError.inFile(
        path, "expected a model of numbers, got one of mixed columns, whose rows are texts")
    }
    let exported = try Model.read(file, from: path).exported(rows: rows)
    try FileBytes.makeFolder(folder)
    try exported.write(to: folder)
    if let refusal = exported.sampleRefusal { notices.warn("there is no program for draws: \(refusal)") }
    let files =
      ["log_prob.mlir", "log_prob_vjp.mlir"]
      + (exported.sample == nil ? [] : ["sample.mlir", "sample_vjp.mlir"])
      + ["parameters.safetensors", "manifest.json"]
    return Report(
      text: "wrote \(files.joined(separator: ", ")) to \(folder), for \(counted(rows, "row")) per call",
      json: [
        "folder": .string(folder), "files": .strings(files), "rows": .integer(rows),
        "sample_refusal": exported.sampleRefusal.map(JSON.string) ?? .null,
      ])
  }
}

extension Model {
  /// The model in the data's units, as programs.
  fileprivate func exported(rows: Int) throws -> ExportedModel {
    let (functions, scales, given, dtype) = (try functions(dtype), scales, given, dtype)
    let notes: [JSON.Member] = [
      .init("columns", columns.map(JSON.strings) ?? .null),
      .init("context_columns", given.map { .strings($0.columns) } ?? .null),
      .init("swift_flows", .string(libraryVersion)),
    ]
    // Its numbers are not known, so a context is not checked.
    @Sendable func context(_ values: Tensor?) -> Tensor? {
      values.flatMap { values in given.map { $0.scales.standardized(values).cast(to: dtype) } }
    }
    return try ExportedModel(
      architecture.name, sample: [width], context: contextDim, dtype: dtype, innerParams(), rows: rows,
      notes: notes
    ) { params, x, values in
      let inner = scales.map { $0.standardized(x).cast(to: dtype) } ?? x
      let logPDF = try functions.logPDF.body(params, inner, context(values))
      return scales.map { (logPDF.cast(to: .float64) + $0.logDet(x.cast(to: .float64))).cast(to: dtype) }
        ?? logPDF
    } draws: { key, params, count, values in
      let inner = try functions.sample.body(key, params, count, context(values)).samples
      return scales.map { $0.restored(inner).cast(to: dtype) } ?? inner
    }
  }
}
