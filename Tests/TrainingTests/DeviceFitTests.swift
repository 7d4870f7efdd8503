import Bijections
import Distributions
import Foundation
import Integration
import Networks
import PJRT
import Privacy
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Training

/// Fits on the plugin that the environment variable `FLOW_PJRT_PLUGIN` names, beside fits on the processor.
@Suite(.enabled(if: TestPlugin.isNamed), .serialized) struct DeviceFitTests {
  private let device: Device
  init() throws { device = try TestPlugin.device }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    var flow: any Distribution = Flow.realNVP(layers: 2, hidden: [8])
    var evaluation: (any Distribution)?
    var objective: any Objective = .maximumLikelihood
    var optimizer: any Optimizer = Chain(ClipByGlobalNorm(1), Adam(learningRate: 3e-3))
    var context = false
    var weights = false
    var dtype = DType.float32
    var testDescription: String { name }
  }

  static let optimizers: [Row] = [
    Row(name: "SGD", optimizer: SGD(learningRate: 0.01)),
    Row(name: "Nesterov", optimizer: SGD(learningRate: 0.01, momentum: 0.9, nesterov: true)),
    Row(name: "Adam", optimizer: Adam(learningRate: 3e-3)),
    Row(name: "clipped", optimizer: Chain(ClipByGlobalNorm(0.05), SGD(learningRate: 0.1))),
    Row(
      name: "AdamW",
      optimizer: AdamW(learningRate: .cosine(3e-3, steps: 20), weightDecay: 0.1, decayed: .matrices)),
    Row(
      name: "RMSProp",
      optimizer: RMSProp(learningRate: .warmUp(steps: 5, then: .exponential(1e-3, factor: 0.5, steps: 9)))),
    Row(name: "Adagrad", optimizer: Adagrad(learningRate: .linear(from: 0.1, to: 0.01, steps: 12))),
    Row(
      name: "MovingAverage",
      optimizer: MovingAverage(Adam(learningRate: Schedule { 0.02 / Double(1 + $0) }), decay: 0.9)),
    Row(
      name: "MultiSteps", optimizer: MultiSteps(Adam(learningRate: .cosine(1e-2, steps: 7)), every: 3)),
    Row(name: "SWAG", optimizer: SWAG(SGD(learningRate: 0.01), every: 4, rank: 3)),
    Row(
      name: "ReduceOnPlateau",
      optimizer: Chain(
        Adam(learningRate: 0.05), ReduceOnPlateau(factor: 0.5, patience: 1, relative: 0.5))),
    Row(name: "ClipParameters", optimizer: Chain(SGD(learningRate: 0.1), ClipParameters(to: -0.2...0.2))),
  ]

  /// The slope of a bias before batch normalization, and of a reflection along its vector, is rounding alone.
  /// Adam makes whole steps of it, so these two have another optimizer.
  static let flows: [Row] = [
    Row(name: "MAF", flow: Flow.maf(layers: 2, hidden: [8])),
    Row(name: "spline", flow: Flow.neuralSpline(layers: 2, hidden: [8], bins: 4)),
    Row(name: "float64", dtype: .float64),
    Row(name: "conditional", flow: Flow.maf(layers: 1, hidden: [8]), context: true),
    Row(name: "weighted", weights: true),
    Row(
      name: "batch normalization",
      flow: Flow(Serial(AffineCoupling(MLP(hidden: [8])), BatchNorm(mode: .training)), prior: Normal()),
      evaluation: Flow(Serial(AffineCoupling(MLP(hidden: [8])), BatchNorm(mode: .evaluation))),
      optimizer: SGD(learningRate: 0.01)),
    Row(name: "residual", flow: Flow.residual(layers: 2, hidden: [8])),
    Row(
      name: "linear", flow: Flow(Serial(InvertibleLinear(), ActNorm(), QRLinear()), prior: Normal()),
      optimizer: SGD(learningRate: 0.01)),
    Row(name: "OT-Flow", flow: Flow.otFlow(width: 6, steps: 4), objective: .otFlow()),
    Row(
      name: "estimated traces", flow: Flow.ffjord(hidden: [8], solver: .steps(4)), objective: .rnode()),
    Row(name: "flow matching", flow: Flow.cnf(hidden: [8], solver: .steps(4)), objective: FlowMatching()),
  ]

  private static func fitted(
    _ row: Row, on engine: Engine, epochs: Int = 4, continuing state: FitState? = nil,
    checkpoint: Checkpoint? = nil
  ) throws -> Fitted {
    // Training rows make four batches of which the last is smaller.
    let data = (Key(5).normal([110, 3], dtype: row.dtype) + 1) * Tensor([0.5, 1, 2], dtype: row.dtype)
    func run(_ objective: some Objective, _ flow: some Distribution) throws -> Fitted {
      try fit(
        flow, to: data, given: row.context ? Key(6).normal([110, 2]) : nil, by: objective,
        evaluation: row.evaluation,
        weights: row.weights ? Tensor((0..<110).map { Double($0 % 4) }) : nil, continuing: state,
        key: Key(1), epochs: epochs, batchSize: 32, optimizer: row.optimizer, patience: nil, on: engine,
        checkpoint: checkpoint, progress: .silent)
    }
    return try run(row.objective, row.flow)
  }

  /// The largest difference of two trees, relative to the larger of 1 and the largest number.
  private func difference(_ a: Params, _ b: Params) throws -> Double {
    try zip(a.zip(with: b) { abs($0.cast(to: .float64) - $1.cast(to: .float64)) }.leaves, b.leaves)
      .map { difference, b in
        // The largest of some numbers passes over NaN.
        guard difference.isFinite else { return .infinity }
        return difference.doubles.max()! / max(1, abs(b.cast(to: .float64)).doubles.max()!)
      }.max() ?? 0
  }

  @Test(arguments: optimizers + flows) func agrees(_ row: Row) throws {
    let ours = try Self.fitted(row, on: .cpu)
    let theirs = try Self.fitted(row, on: .pjrt(device, lookingEvery: 3))
    let tolerance = row.dtype == .float64 ? 1e-10 : 2e-4
    #expect(theirs.history.count == 4 && theirs.state.step == ours.state.step)
    for (a, b) in zip(ours.history, theirs.history) {
      #expect(abs(a.trainingLoss - b.trainingLoss) < tolerance * max(1, abs(a.trainingLoss)))
      #expect(abs(a.validationLoss! - b.validationLoss!) < tolerance * max(1, abs(a.validationLoss!)))
      #expect(abs(a.gradientNorm - b.gradientNorm) < 10 * tolerance * max(1, a.gradientNorm))
      #expect(a.isBest == b.isBest)
    }
    let worst = [
      try difference(theirs.params, ours.params), try difference(theirs.state.params, ours.state.params),
      try difference(theirs.state.lastGood, ours.state.lastGood),
      try difference(theirs.state.optimizer, ours.state.optimizer),
    ]
    #expect(worst.max()! < tolerance, "\(worst)")
    // Training has moved the parameters.
    let start = try Self.fitted(row, on: .cpu, epochs: 1)
    #expect(try difference(start.state.params, ours.state.params) > 10 * tolerance)
  }

  /// A run that goes on from a checkpoint has the bits of one that was not interrupted, and a run can change
  /// its engine.
  @Test func checkpoints() throws {
    let row = Row(name: "", optimizer: MovingAverage(AdamW(learningRate: .cosine(1e-2, steps: 16))))
    let engine = Engine.pjrt(device, lookingEvery: 3)
    let whole = try Self.fitted(row, on: engine)
    let path = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let half = try Self.fitted(row, on: engine, epochs: 2, checkpoint: Checkpoint(path, every: .steps(3)))
    let copy = path + ".copy"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    let rest = try Self.fitted(row, on: engine, checkpoint: Checkpoint(path))
    #expect(rest.state.params.isIdentical(to: whole.state.params) && rest.history == whole.history)
    #expect(rest.state.optimizer.isIdentical(to: whole.state.optimizer))
    let elsewhere = try Self.fitted(row, on: .cpu, checkpoint: Checkpoint(copy))
    #expect(try difference(elsewhere.params, whole.params) < 2e-4)
    let again = try Self.fitted(row, on: engine, continuing: half.state)
    #expect(again.state.params.isIdentical(to: whole.state.params))
  }

  /// A loss that is not finite is found at its step, with the parameters before it, however rarely the host
  /// looks.
  @Test(arguments: [1, 3, 32]) func divergence(interval: Int) throws {
    func error(_ engine: Engine) throws -> (step: Int, what: String, lastGood: Params) {
      let error = #expect(throws: FlowError.self) {
        try fit(
          Flow.realNVP(layers: 2, hidden: [4]), to: Key(1).normal([100, 2]), key: Key(3), epochs: 9,
          batchSize: 30,
          optimizer: SGD(learningRate: Schedule { $0 == 6 ? 1e30 : 1e-2 }), on: engine, progress: .silent)
      }
      guard case .diverged(_, let step, let what, let lastGood)? = error else { throw error! }
      return (step, what, lastGood)
    }
    let (ours, theirs) = (try error(.cpu), try error(.pjrt(device, lookingEvery: interval)))
    #expect(ours.step == theirs.step && ours.what == theirs.what && ours.step == 7)
    #expect(try difference(theirs.lastGood, ours.lastGood) < 1e-4)
  }

  /// A row outside the support is named, as on the processor.
  @Test func support() throws {
    var rows = Key(1).uniform([60, 2]).doubles
    rows[51] = 2
    func error(_ engine: Engine) -> FlowError? {
      #expect(throws: FlowError.self) {
        try fit(
          Flow(ActNorm(), prior: Uniform(from: -1, to: 1)), to: Tensor(rows, shape: [60, 2]), key: Key(3),
          epochs: 9, batchSize: 20, optimizer: SGD(learningRate: 3), validationFraction: 0, on: engine,
          progress: .silent)
      }
    }
    #expect(error(.pjrt(device)) == error(.cpu))
  }

  /// The callback sees the state of its epoch, and can end the run.
  @Test func callbacks() throws {
    var seen: [FitState] = []
    let fitted = try fit(
      Flow.realNVP(layers: 1, hidden: [4]), to: Key(1).normal([80, 2]), key: Key(3), epochs: 9, batchSize: 40,
      optimizer: SGD(learningRate: 0.1), on: .pjrt(device), progress: .silent
    ) { state in
      seen.append(state)
      return seen.count == 2 ? .stop : .proceed
    }
    #expect(fitted.ending == .stoppedByCallback && fitted.state.step == 4)
    #expect(seen[1].params.isIdentical(to: fitted.state.params))
    #expect(!seen[0].params.isIdentical(to: seen[1].params))
  }

  struct Counting: Optimizer {
    func initialize(_ params: Params) -> Params { ["count": .frozen(Tensor(ints: [0]))] }
    func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
      let count = state["count"].ints[0]
      return (gradient.map { $0 * (-0.1 / Double(count + 1)) }, ["count": .frozen(Tensor(ints: [count + 1]))])
    }
  }

  /// A step that has no program is refused with the reason.
  @Test(arguments: ["pairing", "noise", "annealed", "count", "prior"]) func refusals(_ what: String) throws {
    func run(_ objective: some Objective, _ optimizer: any Optimizer = SGD(learningRate: 0.01)) throws {
      let field = Flow.cnf(hidden: [4], solver: .steps(2))
      let flow: any Distribution =
        what == "prior"
        ? Flow(field.bijection, prior: Laplace())
        : what == "pairing" ? field : Flow(ActNorm())
      func fitted(_ flow: some Distribution) throws {
        _ = try fit(
          flow, to: Key(1).normal([40, 2]), by: objective, key: Key(2), epochs: 1, batchSize: 20,
          optimizer: optimizer, on: .pjrt(device), progress: .silent)
      }
      try fitted(flow)
    }
    let error = #expect(throws: FlowError.self) {
      switch what {
      case "pairing": try run(FlowMatching(.optimalTransport))
      case "prior": try run(FlowMatching())
      case "count": try run(.maximumLikelihood, Counting())
      case "annealed": try run(Tempered())
      default:
        let plan = try PrivacyPlan(noiseMultiplier: 1, delta: 1e-5, rate: 0.5, batch: 20, steps: 2)
        try run(PrivateLikelihood(plan, noise: .secret()))
      }
    }
    let reason = [
      "pairing": "it depends on the numbers of a batch", "count": "it depends on the numbers of a batch",
      "noise": "it depends on the numbers of a batch",
      "annealed": "got Tempered or SGD, whose numbers change from step to step",
      "prior": "FlowMatching: expected a prior that is standard normal, got another",
    ][what]!
    #expect(error?.description.contains(reason) == true, "\(error as Any)")
  }

  /// An objective whose formula depends on the step.
  struct Tempered: RowObjective {
    func losses(_ step: TrainingStep) throws -> RowLosses {
      let (x, logPDF, factor) = (try step.batch(for: "Tempered"), step.logPDF, 1 / Double(1 + step.index))
      return { params, rows in factor * -(try logPDF.body(params, x[rows], nil)) }
    }
  }
}
