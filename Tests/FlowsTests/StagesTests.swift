import Flows
import TestSupport
import Testing

@Suite struct StagesTests {
  private static let net = MLP(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)
  private static let coupling = Coupling(net, RationalQuadraticSpline(bins: 4))
  private let x = Key(1).normal([5, 3], dtype: .float64)
  private let context = Key(2).normal([5, 2], dtype: .float64)

  /// All stages have the parameters of one network, and K maps of their own.
  @Test func parametersAreAKthOfTheUnshared() throws {
    let (layers, hidden) = (8, [40, 40])
    func counts(_ flow: Flow, networks: Int) throws -> (all: Int, networks: Int) {
      let params = try flow(Key(0), inputDim: 4).params.learned
      let nets = zip(params.paths, params.leaves).filter { $0.0.contains("/net/") }
      #expect(nets.count == 6 * networks, "three layers with two leaves each")
      return (params.leaves.reduce(0) { $0 + $1.count }, nets.reduce(0) { $0 + $1.1.count })
    }
    let alone = try counts(.neuralSpline(layers: layers, hidden: hidden), networks: layers)
    let together = try counts(.sharedNeuralSpline(layers: layers, hidden: hidden), networks: 1)
    // The network sees the stage, `layers` more numbers, in its first layer.
    #expect(together.networks == alone.networks / layers + layers * hidden[0])
    #expect(together.all - together.networks == alone.all - alone.networks)
    #expect(Double(together.all) < 1.2 / Double(layers) * Double(alone.all))
  }

  /// The definition, written as a loop over layers with one tree of parameters each.
  private func byHand(
    _ own: [Params], _ shared: [Params], _ x: Tensor
  ) throws -> (outputs: Tensor, logDet: Tensor) {
    let (_, linear, _) = try InvertibleLinear()(Key(0), inputDim: 3, dtype: .float64)
    let (_, coupling, _) = try Self.coupling(Key(0), inputDim: 3, contextDim: 5, dtype: .float64)
    var (h, total) = (x, Tensor.zeros([x.rows], dtype: .float64))
    for k in 0..<3 {
      let (mixed, first) = try linear(own[k], h)
      let code = Tensor((0..<3).map { $0 == k ? 1 : 0 }, shape: [1, 3], dtype: .float64)
      let seen = concatenate(context, code.broadcast(to: [x.rows, 3]), axis: -1)
      let (y, second) = try coupling(shared[k], mixed, given: seen)
      (h, total) = (y, total + first + second)
    }
    return (h, total)
  }

  private func initialized() throws -> (params: Params, forward: Mapping, inverse: Mapping) {
    try Stages(3, sharing: Self.coupling, after: [InvertibleLinear()])(
      Key(3), inputDim: 3, contextDim: 2, dtype: .float64)
  }

  /// Outputs, log-dets and gradients by the shared leaves are those of copies; the gradient is their sum.
  @Test func isTheChainOfItsStages() throws {
    let (params, forward, _) = try initialized()
    let own = (0..<3).map { params.child("\($0)").child("0") }
    #expect(!own[0].isIdentical(to: own[1]), "each stage draws its own initial values")
    func value(_ results: (outputs: Tensor, logDet: Tensor)) -> Tensor {
      (square(results.outputs).sumPerRow() + results.logDet).sum()
    }
    let shared = params.child("shared")
    let (y, logDet) = try forward(params, x, given: context)
    let expected = try byHand(own, [shared, shared, shared], x)
    #expect(y.doubles == expected.outputs.doubles && isClose(logDet, expected.logDet, 1e-14))

    let together = try gradient(at: params) { try value(forward($0, x, given: context)) }.child("shared")
    let apart = try (0..<3).map { k in
      try gradient(at: shared) { copy in
        try value(byHand(own, (0..<3).map { $0 == k ? copy : shared }, x))
      }
    }
    for (i, leaf) in together.leaves.enumerated() {
      let parts = apart.map { $0.leaves[i] }
      #expect(isClose(leaf, parts[0] + parts[1] + parts[2], 1e-12))
      #expect(!isClose(parts[0], parts[1], 1e-6), "each stage has its part")
    }
  }

  /// A network that is shared still makes another map at each stage.
  @Test func stagesDiffer() throws {
    let stages = Stages(2, sharing: Self.coupling, after: [Reverse()])
    let (params, forward, _) = try stages(Key(3), inputDim: 7, dtype: .float64)
    #expect(params.paths.allSatisfy { $0.hasPrefix("shared/net/") } && params.paths.count == 4)
    let x = Key(1).normal([5, 7], dtype: .float64)
    // Three numbers pass, and two say the stage. Here the stages change places.
    let weight = params[path: "shared/net/dense_0/weight"]!.value!
    let swapped = concatenate([weight[0..<3], weight[4..<5], weight[3..<4]], axis: 0)
    let turned = try params.replacing("shared/net/dense_0/weight", by: .leaf(swapped))
    let (y, other) = (try forward(params, x).outputs, try forward(turned, x).outputs)
    #expect(!isClose(y, other, 1e-3))
  }

  /// Data start what is shared at the stage that they reach first, and statistics move once.
  @Test func startsAndStatistics() throws {
    let data = 3 + 2 * Key(4).normal([200, 2], dtype: .float64)
    for (bijection, isBackwards) in [(ActNorm(), false), (Inverted(ActNorm()), true)]
      as [(any Bijection, Bool)]
    {
      let stages = Stages(3, sharing: bijection)
      let around: any Bijection = isBackwards ? Inverted(stages) : stages
      let (params, _, _) = try around(Key(0), inputDim: 2, initInputs: data, dtype: .float64)
      #expect(isClose(params[path: "shared/bias"]!.value!, data.mean(axis: 0), 1e-6))
    }
    // A shared layer that starts from its context sees the stage there.
    let layer = Conditioned(AffineCoupling(Self.net), by: NormalizedContext())
    let (start, _, _) = try Stages(2, sharing: layer)(Key(0), inputDim: 2, initInputs: data, dtype: .float64)
    #expect(start[path: "shared/context/bias"]!.value!.doubles == [1, 0])

    let (params, forward, _) = try Stages(2, sharing: BatchNorm(momentum: 0))(
      Key(0), inputDim: 2, dtype: .float64)
    let moved = try forward.updatingStatistics(params, data)[path: "shared/runningMean"]!.value!
    #expect(isClose(moved, 0.5 * data.mean(axis: 0), 1e-9), "the second stage's rows have mean 0")
  }

  @Test func stagesKeepTheShape() throws {
    for stages in [Stages(2, sharing: Squeeze()), Stages(2, sharing: Serial(), after: [Squeeze()])] {
      #expect {
        try stages(Key(0), inputDim: [2, 2, 4])
      } throws: {
        "\($0)" == "Stages: expected a stage that keeps the shape [2, 2, 4], got [1, 1, 16]"
      }
    }
    let (params, forward, _) = try Stages(0, sharing: ActNorm())(Key(0), inputDim: 3, dtype: .float64)
    let y = try forward(params, x).outputs
    #expect(params.paths.isEmpty && y.doubles == x.doubles)
  }

  @Test func printsItsStages() throws {
    let flow = Flow.sharedNeuralSpline(layers: 2, hidden: [4])
    #expect("\(flow)" == "Flow\n  Stages\n    InvertibleLinear\n    Coupling\n  prior: Normal")
    let counts = try flow.summary(inputDim: 3).split(separator: "\n").map {
      Int($0.split(separator: " ").last!)!
    }
    #expect(counts.count == 6 && counts[3] == 0, "the network counts once")
    #expect(counts.dropLast().reduce(0, +) == counts.last)
  }
}
