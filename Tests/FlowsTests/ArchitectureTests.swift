import Flows
import TestSupport
import Testing

/// A ready-made flow, small.
struct Architecture: Sendable, CustomTestStringConvertible {
  let name: String
  let flow: Flow
  /// Its layers as `print` shows them; none if they stand in a combinator.
  let layers: [String]
  /// The side of the square that holds its density.
  var extent = 9.0
  var testDescription: String { name }

  static let all: [Architecture] = [
    Architecture(
      name: "realNVP", flow: .realNVP(layers: 2, hidden: [12]),
      layers: ["AffineCoupling", "Reverse", "AffineCoupling"]),
    Architecture(
      name: "nice", flow: .nice(layers: 2, hidden: [12]),
      layers: ["AdditiveCoupling", "Reverse", "AdditiveCoupling", "ActNorm"], extent: 25),
    Architecture(
      name: "maf", flow: .maf(layers: 2, hidden: [12]),
      layers: ["Autoregressive", "Reverse", "Autoregressive"]),
    Architecture(
      name: "maf, batch normalization",
      flow: .maf(layers: 2, hidden: [12], batchNorm: BatchNorm(mode: .evaluation)),
      layers: ["Autoregressive", "BatchNorm", "Reverse", "Autoregressive", "BatchNorm"]),
    Architecture(
      name: "mafMixture", flow: .mafMixture(layers: 1, hidden: [12], components: 3), layers: []),
    Architecture(name: "gatedIAF", flow: .gatedIAF(layers: 2, hidden: [12]), layers: []),
    Architecture(
      name: "residualNeuralSpline", flow: .residualNeuralSpline(steps: 2, width: 12, bins: 4),
      layers: []),
    Architecture(
      name: "autoregressiveResidualNeuralSpline",
      flow: .autoregressiveResidualNeuralSpline(steps: 1, width: 12, bins: 4),
      layers: ["InvertibleLinear", "Autoregressive", "InvertibleLinear"]),
    Architecture(
      name: "iaf", flow: .iaf(layers: 2, hidden: [12]),
      layers: ["Inverted(Autoregressive)", "Reverse", "Inverted(Autoregressive)"]),
    Architecture(
      name: "neuralSpline", flow: .neuralSpline(layers: 2, hidden: [12], bins: 4),
      layers: ["InvertibleLinear", "Coupling", "InvertibleLinear", "Coupling"]),
    Architecture(
      name: "sharedNeuralSpline", flow: .sharedNeuralSpline(layers: 3, hidden: [12], bins: 4), layers: []),
    Architecture(
      name: "autoregressiveNeuralSpline", flow: .autoregressiveNeuralSpline(layers: 2, hidden: [12], bins: 4),
      layers: ["InvertibleLinear", "Autoregressive", "InvertibleLinear", "Autoregressive"]),
    Architecture(
      name: "glowVector", flow: .glowVector(layers: 2, hidden: [12]),
      layers: [
        "ActNorm", "InvertibleLinear", "AffineCoupling", "ActNorm", "InvertibleLinear", "AffineCoupling",
      ]),
    Architecture(
      name: "mafGlow", flow: .mafGlow(layers: 2, hidden: [12]),
      layers: [
        "Autoregressive", "ActNorm", "InvertibleLinear", "Autoregressive", "ActNorm", "InvertibleLinear",
      ]),
    Architecture(
      name: "flowPlusPlus", flow: .flowPlusPlus(layers: 2, hidden: [12], components: 3),
      layers: ["ActNorm", "InvertibleLinear", "Coupling", "ActNorm", "InvertibleLinear", "Coupling"]),
    Architecture(
      name: "autm", flow: .autm(layers: 2, hidden: [12], units: 3, steps: 4),
      layers: ["ActNorm", "InvertibleLinear", "Coupling", "ActNorm", "InvertibleLinear", "Coupling"]),
    Architecture(
      name: "residual", flow: .residual(layers: 3, hidden: [12]),
      layers: ["ActNorm", "ResidualFlow", "ActNorm", "ResidualFlow", "ActNorm", "ResidualFlow"]),
  ]
}

@Suite struct ArchitectureTests {
  /// Gated steps forget their input at the large parameters here. Their laws and references are elsewhere.
  @Test(arguments: Architecture.all.filter { $0.name != "gatedIAF" }) func logDetsAreTheJacobians(
    _ item: Architecture
  ) throws {
    for size in [1, 3] as [Shape] {
      try LogDetCheck(of: item.flow.bijection, inputDim: size, key: Key(1)).verify()
    }
    try LogDetCheck(of: item.flow.bijection, inputDim: 2, contextDim: 2, key: Key(1)).verify()
  }

  /// The density's mass in a square is the share of the draws that lie there; nearly all of it for most.
  @Test(arguments: Architecture.all) func densityIntegratesToOne(_ item: Architecture) throws {
    let (initial, logPDF, sample) = try item.flow(Key(2), inputDim: 2)
    let (side, columns, count) = (item.extent, 160, 4_000)
    let grid = DensityPlot.Grid(x: -side...side, y: -side...side, columns: columns)
    let width = 2 * side / Double(columns)
    for params in [initial, initial.perturbed(Key(3))] {
      let mass = exp(try logPDF(params, grid.points()).cast(to: .float64)).sum().item * width * width
      let draws = try sample(Key(4), params, count: count)
      let share = (abs(draws).max(axis: 1) .<= side).mean().item
      let error = 4 * (share * (1 - share) / Double(count)).squareRoot()
      #expect(abs(mass - share) < 3e-3 + error, "mass \(mass), \(share) of the draws")
      #expect(share > 0.8)
    }
  }

  /// Two banana-shaped variables: better than what it started with, and than any normal distribution.
  @Test(arguments: Architecture.all) func learns(_ item: Architecture) throws {
    let z = Key(4).normal([600, 2])
    let (a, b) = (z.sliced(axis: 1, 0..<1), z.sliced(axis: 1, 1..<2))
    let data = concatenate([a, 0.5 * square(a) - 0.5 + 0.4 * b], axis: 1)
    let fitted = try fit(
      item.flow, to: data, key: Key(5), epochs: 25, batchSize: 100,
      optimizer: Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(0.02, steps: 150))), patience: nil,
      progress: .silent)
    let losses = fitted.history.map(\.trainingLoss)
    // a and ½a² are uncorrelated, so that the best normal density has entropy log 2πe + ½ log(½ + 0.16).
    let gaussian = 2.8379 + 0.5 * log(Tensor(0.66)).item
    #expect(
      losses.last! < losses[0] - 0.1 && losses.last! < gaussian - (item.name == "nice" ? 0 : 0.1), "\(losses)"
    )
    let draws = try fitted.sample(Key(6), fitted.params, count: 500)
    #expect(draws.isFinite)
  }

  /// MAF's densities and IAF's draws take one pass of a layer's network, the other way one a number. The
  /// layers of both are those that `printsItsLayersShapesAndCounts` names.
  @Test func mafIsQuickToEvaluateAndIafToSample() throws {
    func passes(_ wrap: (any Bijection) -> any Bijection) throws -> (density: Int, draws: Int) {
      let calls = Calls()
      let layer = wrap(Autoregressive(MADE(hidden: [5]), Counted(calls: calls)))
      let (params, logPDF, sample) = try Flow(layer)(Key(0), inputDim: 6)
      _ = try logPDF(params, wave([2, 6], dtype: .float32))
      let density = calls.count
      _ = try sample(Key(1), params, count: 2)
      return (density, calls.count - density)
    }
    let (maf, iaf) = (try passes { $0 }, try passes { Inverted($0) })
    #expect(maf == (1, 6) && iaf == (6, 1))
  }

  @Test(arguments: Architecture.all.filter { !$0.layers.isEmpty }) func printsItsLayersShapesAndCounts(
    _ item: Architecture
  ) throws {
    let prior = item.name == "nice" ? "Logistic" : "Normal"
    #expect(
      "\(item.flow)"
        == (["Flow"] + item.layers.map { "  \($0)" } + ["  prior: \(prior)"]).joined(separator: "\n"))
    let (params, _, _) = try item.flow(Key(0), inputDim: 5, contextDim: 2)
    let lines = try item.flow.summary(inputDim: 5, contextDim: 2).split(separator: "\n")
    #expect(lines.count == item.layers.count + 2)
    for (i, line) in lines.dropLast(2).enumerated() {
      let count = params.child("bijection").child(i).learnedCount
      #expect(
        line.contains("[5] → [5]") && line.hasSuffix("  \(count)"),
        "\(line)")
    }
    #expect(lines.last!.hasPrefix("total") && lines.last!.hasSuffix("  \(params.learnedCount)"))
  }

  @Test func printsWhatLayersAreMadeOf() throws {
    let glow = Flow.glow(levels: 2, steps: 1, hidden: 4)
    let text = "\(glow)".split(separator: "\n").map { $0.drop { $0 == " " } }
    #expect(text.count { $0 == "AffineCoupling" } == 2)
    #expect(text.contains("MultiScale") && text.contains("ActNorm"))
    let lines = try glow.summary(inputDim: [4, 4, 1]).split(separator: "\n")
    #expect(lines.contains { $0.contains("[4, 4, 1] → [2, 2, 4]") } && lines.count > 10)
    // Both halves of a recursion share a level: it counts once.
    let hint = Flow(HINT(MLP(hidden: [3])))
    let blocks = Flow(Blockwise(([2], ActNorm()), ([1], Log())))
    let inverted = Flow(Inverted(Serial(ActNorm())))
    let cases: [(flow: Flow, dim: Shape)] = [(hint, 8), (glow, [4, 4, 1]), (blocks, 3), (inverted, 2)]
    for (flow, dim) in cases {
      let summary = try flow.summary(inputDim: dim)
      let rows = summary.split(separator: "\n").map { Int($0.split(separator: " ").last!)! }
      #expect(!summary.contains("contexts"), "every parameter is that of a layer:\n\(summary)")
      #expect(rows.dropLast().reduce(0, +) == rows.last, "\(rows)")
    }
    #expect(try hint.summary(inputDim: 8).hasSuffix("  \(hint(Key(0), inputDim: 8).params.learnedCount)"))
  }

  /// The latents are those that the bijection gives to the prior.
  @Test func latentsAreTheBijections() throws {
    let flow = Flow.maf(layers: 2, hidden: [6])
    let x = Key(3).normal([5, 2])
    let (params, logPDF, _) = try Conditioned(flow, by: Summary(hidden: [4], width: 3))(
      Key(1), inputDim: 2, contextDim: 1)
    let context = Key(4).normal([5, 1])
    let z = try logPDF.latents(params, x, given: context)
    let prior = try flow.prior(Key(0), inputDim: 2)
    let (_, forward, _) = try flow.bijection(Key(1), inputDim: 2, contextDim: 3)
    let expected = try logPDF(params, x, given: context) - prior.logPDF(prior.params, z)
    #expect(
      isClose(
        expected, try forward.body(params.child("base").child("bijection"), x, .zeros([5, 3])).logDet, 1e-5))
    #expect(!z.isIdentical(to: x) && z.shape == [5, 2])
    let normal = try Normal()(Key(0), inputDim: 2)
    #expect(throws: FlowError.self) { try normal.logPDF.latents(normal.params, x) }
  }

  /// The autoregressive flows that integrate train for too long here.
  @Test(arguments: [
    Flow.autoregressiveAUTM(layers: 2, hidden: [6], units: 2, steps: 3),
    .autoregressiveUMNN(layers: 2, hidden: [6], units: 2, nodes: 6),
    .neuralAutoregressive(layers: 2, hidden: [6]),
    .sumOfSquares(layers: 2, hidden: [6]), .bernstein(layers: 2, hidden: [6], degree: 5),
  ]) func logDetsOfFlowsThatIntegrate(_ flow: Flow) throws {
    for size in [1, 2] as [Shape] {
      try LogDetCheck(of: flow.bijection, inputDim: size, key: Key(1)).verify()
    }
  }

  /// The papers' defaults work for any number of numbers, as they stand.
  @Test(arguments: [
    Flow.realNVP(), .nice(), .maf(), .iaf(), .neuralSpline(), .sharedNeuralSpline(),
    .autoregressiveNeuralSpline(), .glowVector(), .mafGlow(),
    .flowPlusPlus(), .residual(), .autm(), .autoregressiveAUTM(), .autoregressiveUMNN(), .sumOfSquares(),
    .bernstein(),
  ]) func defaultsStartNearTheIdentity(_ flow: Flow) throws {
    let isMixture = try flow(Key(1), inputDim: 2).logPDF.mapping.layers().contains {
      $0.mapping.name.contains("MixtureOfLogistics")
    }
    for size in [1, 2, 7] {
      let (params, logPDF, sample) = try flow(Key(1), inputDim: Shape([size]))
      let x = Key(2).normal([4, size])
      // Orthogonal maps and the identity keep the norm; a mixture of logistics starts near enough.
      let expected = flow.prior is Normal ? (-0.5 * square(x) - 0.918939).sumPerRow() : nil
      let density = try logPDF(params, x)
      if let expected { #expect(isClose(density, expected, isMixture ? 2.5 : 1e-3)) }
      let draws = try sample(Key(3), params, count: 3)
      #expect(density.isFinite && draws.isFinite)
    }
  }

  private final class Calls: @unchecked Sendable { var count = 0 }

  /// A shift that counts how often it is made.
  private struct Counted: Transformer {
    let calls: Calls
    var name: String { "Counted" }
    var parameterCount: Int { 1 }

    func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
      calls.count += 1
      return Shift().forward(x, parameters)
    }
    func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
      calls.count += 1
      return Shift().inverse(y, parameters)
    }
  }
}
