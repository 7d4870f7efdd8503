import Bijections
import Distributions
import Export
import Files
import Foundation
import Networks
import Randomness
import Integration
import StableHLO
import Tensors
import Testing
import Verification

/// A preset as programs: what is written, and what is refused.
///
/// With the environment variable `SWIFT_FLOWS_PROGRAMS` the models of the table are written to that folder,
/// with log-densities and draws of ours, for `Tests/StableHLO/check.py` to compare.
@Suite final class ExportedModelTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let distribution: any Distribution
    var shape: Shape = [3]
    var context: Shape?
    /// The deviation of the parameters from the initial ones. Steep maps multiply rounding.
    var deviation = 0.1
    /// The reason why there is no program for draws.
    var refusal: String?
    var testDescription: String { name }
  }

  static let rows: [Row] =
    presets + images + [
      Row(name: "conditional", distribution: Flow.maf(layers: 2, hidden: [12]), context: [2]),
      Row(
        name: "mixture",
        distribution: Mixture([
          StudentT(degreesOfFreedom: 4), Normal(location: .learned, scale: .learned), Laplace(),
        ])),
      Row(
        name: "mixture of mixtures",
        distribution: Mixture([Mixture([Normal(), Logistic()]), Flow.realNVP(layers: 1, hidden: [4])])),
      Row(name: "bounded", distribution: Flow(Serial(Logit(), ActNorm()), prior: Normal())),
      Row(name: "uniform", distribution: Uniform()),
      Row(name: "von Mises", distribution: VonMises(), refusal: "made by rejection"),
    ]

  private static let presets: [Row] = [
    Row(name: "realNVP", distribution: Flow.realNVP(layers: 2, hidden: [12])),
    Row(name: "nice", distribution: Flow.nice(layers: 2, hidden: [12])),
    Row(name: "maf", distribution: Flow.maf(layers: 2, hidden: [12])),
    Row(name: "iaf", distribution: Flow.iaf(layers: 2, hidden: [12])),
    Row(name: "neuralSpline", distribution: Flow.neuralSpline(layers: 2, hidden: [12], bins: 4)),
    Row(name: "sharedNeuralSpline", distribution: Flow.sharedNeuralSpline(layers: 2, hidden: [12], bins: 4)),
    Row(
      name: "autoregressiveNeuralSpline",
      distribution: Flow.autoregressiveNeuralSpline(layers: 2, hidden: [12], bins: 4)),
    Row(name: "splineMixture", distribution: Flow.splineMixture(layers: 1, hidden: [12], bins: 4)),
    Row(name: "glowVector", distribution: Flow.glowVector(layers: 2, hidden: [12])),
    Row(name: "mafGlow", distribution: Flow.mafGlow(layers: 2, hidden: [12])),
    Row(name: "flowPlusPlus", distribution: Flow.flowPlusPlus(layers: 1, hidden: [12], components: 3)),
    Row(name: "autm", distribution: Flow.autm(layers: 1, hidden: [12], units: 3, steps: 4)),
    Row(name: "autoregressiveAUTM", distribution: Flow.autoregressiveAUTM(layers: 1, hidden: [12])),
    Row(name: "autoregressiveUMNN", distribution: Flow.autoregressiveUMNN(layers: 1, hidden: [12])),
    Row(name: "residual", distribution: Flow.residual(layers: 2, hidden: [12])),
    Row(name: "otFlow", distribution: Flow.otFlow(width: 6, steps: 4)),
    Row(name: "cnf", distribution: Flow.cnf(hidden: [8], solver: .steps(4))),
    Row(name: "planar", distribution: Flow.planar(layers: 3)),
    Row(name: "radial", distribution: Flow.radial(layers: 3)),
    Row(name: "sylvester", distribution: Flow.sylvester(layers: 2)),
    Row(name: "variationalRealNVP", distribution: Flow.variationalRealNVP()),
    Row(
      name: "variationalNeuralSpline", distribution: Flow.variationalNeuralSpline(layers: 1),
      deviation: 0.02),
    Row(name: "ffjord", distribution: Flow.ffjord(hidden: [8], solver: .steps(4))),
    Row(name: "hint", distribution: Flow.hint(layers: 1, hidden: [8]), shape: [4]),
    Row(name: "jointHINT", distribution: Flow.jointHINT(observed: 2, layers: 1, hidden: [8]), shape: [4]),
  ]

  private static let images: [Row] = [
    Row(name: "glow", distribution: Flow.glow(levels: 2, steps: 1, hidden: 6), shape: [4, 4, 2]),
    Row(name: "tarFlow", distribution: Flow.tarFlow(blocks: 2, layers: 1, width: 4), shape: [4, 4, 1]),
    Row(
      name: "jet", distribution: Flow.jet(patch: 2, couplings: 5, layers: 1, width: 4), shape: [4, 4, 1]),
    Row(
      name: "multiScaleHINT", distribution: Flow.multiScaleHINT(levels: 1, steps: 1, hidden: 6),
      shape: [4, 4, 2]),
    Row(name: "hyperbolic", distribution: Flow.hyperbolic(levels: 1, steps: 2, hidden: 6), shape: [4, 4, 2]),
    Row(
      name: "realNVP of images", distribution: Flow.realNVP(levels: 1, hidden: 6, blocks: 1),
      shape: [4, 4, 2]),
    Row(
      name: "realNVPHalves", distribution: Flow.realNVPHalves(image: [4, 4, 1], layers: 2, hidden: 6),
      shape: [4, 4, 1]),
  ]

  @Test(arguments: rows) func programs(_ row: Row) throws {
    let (initial, logPDF, sample) = try row.distribution(Key(1), inputDim: row.shape, contextDim: row.context)
    let params = initial.perturbed(Key(2), by: row.deviation)
    let model = try ExportedModel(row.name, logPDF, sample, params, rows: 8)
    if let refusal = row.refusal {
      #expect(
        model.sample == nil && model.sampleRefusal?.contains(refusal) == true, "\(model.sampleRefusal ?? "")")
    } else {
      #expect(model.sample != nil, "\(model.sampleRefusal ?? "")")
    }
    let count = params.learnedLeaves.count
    if let pullback = model.samplePullback {
      #expect(pullback.results == Array(pullback.arguments[..<(count + (row.context == nil ? 0 : 1))]))
    }
    #expect(model.logPDF.results == [.init([8], .float32)])
    #expect(model.pullback.results == Array(model.logPDF.arguments))
    #expect(model.logPDF.arguments.count == count + 1 + (row.context == nil ? 0 : 1))

    guard let path = ProcessInfo.processInfo.environment["SWIFT_FLOWS_PROGRAMS"] else { return }
    let folder = URL(filePath: path).appending(path: row.name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try model.write(to: folder.path)
    let contexts = row.context.map { Key(3).normal($0.batched(20)) }
    let draws = try sample(Key(5), params, count: 20, given: contexts)
    var expected: [Params.Child] = [
      .init("draws", .leaf(draws)), .init("log_prob", .leaf(try logPDF(params, draws, given: contexts))),
    ]
    if let contexts { expected.append(.init("context", .leaf(contexts))) }
    try SafeTensors(.branch(expected)).write(to: folder.appending(path: "expected.safetensors").path)
  }

  @Test func files() throws {
    let (params, logPDF, sample) = try Flow.maf(layers: 1, hidden: [4])(Key(1), inputDim: 3, contextDim: 2)
    let model = try ExportedModel("maf", logPDF, sample, params, rows: 16)
    try model.write(to: folder.path)
    let manifest = try JSON(parsing: Array(Data(contentsOf: folder.appending(path: "manifest.json"))))
    #expect(manifest["format"] == 3 && manifest["rows"] == 16 && manifest["dtype"] == "float32")
    #expect(manifest["event_shape"]?.array == [3] && manifest["context_shape"]?.array == [2])
    let stored = try SafeTensors.read(folder.appending(path: "parameters.safetensors").path)
    let paths = manifest["parameters"]?.array?.compactMap(\.string) ?? []
    #expect(paths.count == params.learnedLeaves.count && paths.allSatisfy { stored[$0] != nil })
    #expect(manifest["sample_state"] == 1)
    let text = try String(contentsOf: folder.appending(path: "log_prob.mlir"), encoding: .utf8)
    #expect(text == model.logPDF.text)
    #expect(throws: FlowError.self) { try model.write(to: "/nowhere/at/all") }
  }

  /// A log-density without a program says why.
  @Test func densitiesWithTolerance() throws {
    let flow = Flow.ffjord(hidden: [8], solver: .tolerance(relative: 1e-4, absolute: 1e-4))
    let (params, logPDF, sample) = try flow(Key(1), inputDim: 2)
    let refused = #expect(throws: FlowError.self) {
      try ExportedModel("ffjord", logPDF, sample, params, rows: 4)
    }
    #expect(refused?.description.contains("a solver with a tolerance chooses its steps") == true)
  }

  /// Frozen parameters are constants of the programs.
  @Test func frozenParameters() throws {
    let (params, logPDF, sample) = try Normal(location: .learned, scale: .fixed(Tensor(2)))(
      Key(1), inputDim: 3)
    let model = try ExportedModel("normal", logPDF, sample, params, rows: 4)
    #expect(model.logPDF.arguments.count == params.learnedLeaves.count + 1)
  }
}
