import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Training

@Suite struct ConditionalTests {
  static let net = MLP(hidden: [8], activation: .tanh)
  static let summary = Summary(hidden: [8], width: 3, activation: .tanh)

  /// A coupling and a prior that see an embedded context; both start as if there were none.
  static let flow = Conditioned(
    Flow(Serial(AffineCoupling(net), Reverse(), AffineCoupling(net)), prior: ConditionalNormal(net)),
    by: summary)

  /// Two numbers around a point of the unit circle, told by an angle in the context.
  static func problem(_ rows: Int, _ key: Key) -> (data: Tensor, context: Tensor) {
    let angle = key.folded(in: 0).uniform([rows, 1], in: -2..<2)
    let noise = 0.2 * key.folded(in: 1).normal([rows, 2])
    return (2 * concatenate([cos(angle), sin(angle)], axis: 1) + noise, angle)
  }

  @Test func theGradientReachesTheSummary() throws {
    let (data, context) = Self.problem(128, Key(1))
    let (initial, logPDF, _) = try Self.flow(Key(0), inputDim: 2, contextDim: 1)
    #expect(
      initial.paths.contains { $0.hasPrefix("summary/") }
        && initial.paths.contains { $0.hasPrefix("base/prior/") })
    let optimizer = Adam(learningRate: 0.02)
    var (params, state) = (initial, optimizer.initialize(initial))
    var losses: [Double] = []
    for step in 0..<40 {
      let (loss, gradient) = try valueAndGradient(at: params, over: data, given: context) {
        (params, rows, context) in try -logPDF(params, rows, given: context)
      }
      losses.append(loss.item)
      if step == 2 {
        gradient.forEach { path, leaf, _ in
          #expect(leaf.doubles.contains { $0 != 0 }, "no gradient reaches \(path)")
        }
      }
      (params, state) = try optimizer.update(gradient, state, params)
    }
    #expect(losses[39] < losses[0] - 1, "\(losses[0]) to \(losses[39])")
    #expect(losses.allSatisfy { $0.isFinite })
  }

  @Test func aConditionalFlowLearnsWhatTheContextSays() throws {
    let (data, context) = Self.problem(512, Key(2))
    let fitted = try fit(
      Self.flow, to: data, given: context, key: Key(3), epochs: 30, batchSize: 128,
      optimizer: Adam(learningRate: 0.02),
      validationFraction: 0, progress: .silent)
    for angle in [-1.0, 0.5] {
      let draws = try fitted.sample(Key(4), fitted.params, count: 500, given: Tensor([[angle]]))
      let mean = draws.mean(axis: 0)
      let centre = 2 * concatenate([cos(Tensor([angle])), sin(Tensor([angle]))], axis: 0)
      #expect(abs(mean - centre).max(axis: 0).item < 0.3, "at \(angle): \(mean), expected \(centre)")
    }
  }

  @Test func theBaseSeesTheEmbeddedContext() throws {
    let net = MLP(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)
    let (params, forward, _) = try Conditioned(AffineCoupling(net), by: Self.summary)(
      Key(0), inputDim: 3, contextDim: 4)
    let (_, bare, _) = try AffineCoupling(net)(Key(0), inputDim: 3, contextDim: 3)
    let (_, apply, outputDim) = try Self.summary.initialize(Key(0), contextDim: 4, dtype: .float32)
    let (x, context) = (wave([5, 3], dtype: .float32), wave([5, 4], phase: 1, dtype: .float32))
    let embedded = apply(params.child("summary"), context)
    #expect(outputDim == [3] && embedded.shape == [5, 3])
    let (y, logDet) = try forward(params, x, given: context)
    let (z, bareLogDet) = try bare(params.child("base"), x, given: embedded)
    #expect(y.isIdentical(to: z) && logDet.isIdentical(to: bareLogDet))
  }

  @Test func dataDependentStartsSeeTheContext() throws {
    let net = MLP(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)
    let (data, context) = Self.problem(64, Key(5))
    let layer = Conditioned(Serial(AffineCoupling(net), ActNorm()), by: Self.summary)
    let (params, forward, _) = try layer(
      Key(0), inputDim: 2, contextDim: 1, initInputs: data, initContext: context)
    let (y, _) = try forward(params, data, given: context)
    #expect(isClose(y.mean(axis: 0), Tensor([0, 0]), 1e-4))
    #expect(isClose(square(y).mean(axis: 0), Tensor([1, 1]), 1e-3))
  }

  @Test func aSummaryThatStartsAsAConstantIsRefused() throws {
    let idle = Conditioned(Flow(AffineCoupling(Self.net)), by: Summary(MLP(hidden: [8]), width: 3))
    #expect(throws: FlowError.self) { _ = try idle(Key(0), inputDim: 2, contextDim: 1) }
    let given = Summary(MLP(hidden: [8], lastWeight: .glorotUniform), outputDim: 2)
    _ = try Conditioned(Flow(AffineCoupling(Self.net)), by: given)(Key(0), inputDim: 2, contextDim: 1)
  }

  @Test func withoutAContextThereIsNothingToSummarize() throws {
    #expect(throws: FlowError.self) { _ = try Self.flow(Key(0), inputDim: 2) }
    #expect(throws: FlowError.self) {
      _ = try Conditioned(AffineCoupling(Self.net), by: Self.summary)(Key(0), inputDim: 2)
    }
  }
}
