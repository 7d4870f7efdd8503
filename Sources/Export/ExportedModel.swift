import Bijections
import Distributions
import Files
import Randomness
import StableHLO
import Tensors

/// A distribution as programs in StableHLO and a file of parameters, for other languages.
///
/// ```swift
/// let (params, logPDF, sample) = try Flow.neuralSpline()(Key(0), inputDim: 5)
/// let model = try ExportedModel("spline", logPDF, sample, params)
/// try model.write(to: "spline")   // then in Python: swift_flows.load("spline").log_prob(x)
/// ```
///
/// The programs are for a fixed number of rows; a reader pads. They are
///
/// | file | arguments | results |
/// |---|---|---|
/// | `log_prob.mlir` | learned parameters, rows, context | log-densities [rows] |
/// | `log_prob_vjp.mlir` | the same, and a cotangent per row | cotangents of all arguments |
/// | `sample.mlir` | learned parameters, context, key, state | samples, next state |
/// | `sample_vjp.mlir` | learned parameters, context, cotangent, key, state | cotangents of the first two |
///
/// `parameters.safetensors` has the learned parameters by path; frozen ones are constants of the programs.
/// `manifest.json` has shapes, dtypes and the order of parameters.
///
/// A sampler hashes the key's words within the program, so its random words are those of this library and of
/// `jax.random`. A key is an int32 array of shape [2] with the bits of both words. The state is int32 numbers
/// whose bits count the rows so far: 0 for the first call, and then what the call before has returned.
public struct ExportedModel: Sendable {
  /// A log-density in the shape that an export needs: of parameters, rows and a context.
  package typealias Density = @Sendable (Params, Tensor, Tensor?) throws -> Tensor
  /// A sampler in the shape that an export needs.
  package typealias Draws = @Sendable (Key, Params, Int, Tensor?) throws -> Tensor

  /// The number of rows of a call.
  public let rows: Int
  /// The log-density.
  public let logPDF: StableHLOProgram
  /// The pullback of the log-density, to all of its arguments.
  public let pullback: StableHLOProgram
  /// The sampler; nil if it has no program.
  public let sample: StableHLOProgram?
  /// The pullback of the sampler, to parameters and context, with the key and the state of a call; nil if the
  /// sampler has no program.
  public let samplePullback: StableHLOProgram?
  /// The reason why there is no program for draws.
  public let sampleRefusal: String?
  private let name: String
  private let params: Params
  private let notes: [JSON.Member]

  /// Traces a distribution.
  ///
  /// - Parameters:
  ///   - name: the name of the model.
  ///   - logPDF: its log-density.
  ///   - sample: its sampler.
  ///   - params: its parameters.
  ///   - rows: the number of rows of a call.
  /// - Throws: `FlowError.mismatch` with the reason if the log-density has no program.
  public init(
    _ name: String, _ logPDF: LogPDF, _ sample: Sampler, _ params: Params, rows: Int = 256
  ) throws {
    let boundary = logPDF.boundary
    try self.init(
      name, sample: boundary.domain.shape, context: boundary.contextDim, dtype: boundary.dtype, params,
      rows: rows, notes: [],
      density: { try logPDF.body($0, $1, $2) }, draws: { try sample.body($0, $1, $2, $3).samples })
  }

  /// Traces functions of parameters.
  package init(
    _ name: String, sample shape: Shape, context: Shape?, dtype: DType, _ params: Params, rows: Int,
    notes: [JSON.Member], density: @escaping Density, draws: @escaping Draws
  ) throws {
    require(rows > 0, "a program is for at least one row, got \(rows)")
    let leaves = params.learnedLeaves.map { StableHLOProgram.Kind($0.shape, $0.dtype) }
    let batch = StableHLOProgram.Kind(shape.batched(rows), dtype)
    let contexts = context.map { [StableHLOProgram.Kind($0.batched(rows), dtype)] } ?? []
    func own(_ tensors: [Tensor]) -> Params {
      params.replacingLearned(with: Array(tensors.prefix(leaves.count)))
    }
    (self.name, self.params, self.rows, self.notes) = (name, params, rows, notes)
    logPDF = try StableHLOProgram(name, of: leaves + [batch] + contexts) { tensors in
      [try density(own(tensors), tensors[leaves.count], contexts.isEmpty ? nil : tensors[leaves.count + 1])]
    }
    pullback = try StableHLOProgram(name, of: leaves + [batch] + contexts + [.init([rows], dtype)]) {
      tensors in
      let inputs = tensors.dropLast()
      let tree = Params(inputs.map { .leaf($0) })
      return try gradient(at: tree) { tree in
        let inputs = tree.leaves
        let logPDF = try density(
          own(inputs), inputs[leaves.count], contexts.isEmpty ? nil : inputs[leaves.count + 1])
        return (tensors[tensors.count - 1] * logPDF).sum()
      }.leaves
    }
    func drawn(_ key: Key, _ tensors: [Tensor]) throws -> Tensor {
      try draws(key, own(tensors), rows, contexts.isEmpty ? nil : tensors[leaves.count])
    }
    do {
      let forward = try StableHLOProgram.sampler(name, of: leaves + contexts, rows: rows) {
        [try drawn($0, $1)]
      }
      samplePullback = try StableHLOProgram.sampler(
        name, of: leaves + contexts + [batch], rows: rows, isLast: true
      ) { key, tensors in
        let tree = Params(tensors.dropLast().map { .leaf($0) })
        return try gradient(at: tree) { tree in
          try (tensors[tensors.count - 1] * drawn(key, tree.leaves)).sum()
        }.leaves
      }
      (sample, sampleRefusal) = (forward, nil)
    } catch FlowError.mismatch(_, _, _, let got) {
      (sample, samplePullback, sampleRefusal) = (nil, nil, got)
    }
  }

  /// Writes the files to a folder that exists.
  ///
  /// - Throws: `FlowError.file` for a folder that is not there or cannot be written to.
  public func write(to folder: String) throws(FlowError) {
    func write(_ program: StableHLOProgram, _ name: String) throws(FlowError) {
      try FileBytes.write(Array(program.text.utf8), to: "\(folder)/\(name).mlir", called: "program")
    }
    try write(logPDF, "log_prob")
    try write(pullback, "log_prob_vjp")
    if let sample { try write(sample, "sample") }
    if let samplePullback { try write(samplePullback, "sample_vjp") }
    let leaves = zip(params.learnedPaths, params.learnedLeaves).map { (name: $0, value: $1) }
    try SafeTensors(leaves).write(to: "\(folder)/parameters.safetensors")
    try FileBytes.write(Array((manifest.text + "\n").utf8), to: "\(folder)/manifest.json", called: "manifest")
  }

  /// The content of `manifest.json`.
  package var manifest: JSON {
    let batch = logPDF.arguments[params.learnedLeaves.count]
    let contexts = logPDF.arguments.dropFirst(params.learnedLeaves.count + 1)
    func list(_ sizes: [Int]) -> JSON { .array(sizes.map(JSON.integer)) }
    return .object(
      [
        .init("format", 3), .init("name", .string(name)), .init("dtype", .string("\(batch.dtype)")),
        .init("rows", .integer(rows)), .init("event_shape", list(batch.shape.sample.sizes)),
        .init("context_shape", contexts.first.map { list($0.shape.sample.sizes) } ?? .null),
        .init("parameters", .strings(params.learnedPaths)),
        .init("sample_refusal", sampleRefusal.map(JSON.string) ?? .null),
        .init("sample_state", .integer((sample?.results.count ?? 1) - 1)),
      ] + notes)
  }
}

extension Params {
  /// The paths of the learned leaves, in order.
  fileprivate var learnedPaths: [String] {
    var paths: [String] = []
    forEach { path, _, isFrozen in if !isFrozen { paths.append(path) } }
    return paths
  }
}
