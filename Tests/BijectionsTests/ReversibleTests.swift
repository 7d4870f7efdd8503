import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

@testable import Bijections

/// The reversible mode: its gradients are the stored pass's, its memory does not grow, its drift is reported.
@Suite struct ReversibleTests {
  private static let net = MLP(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)
  private static let conv = ConvNet(
    hidden: [4], windows: [3, 1], activation: .tanh, lastWeight: .glorotUniform)

  /// Bijections, a sample's shape and a context's.
  static let cases: [(name: String, bijection: any Bijection, inputDim: Shape, contextDim: Shape?)] = [
    ("one layer", ActNorm(), 5, nil),
    (
      "chain", Serial(ActNorm(), InvertibleLinear(), AffineCoupling(net), Reverse(), AffineCoupling(net)), 5,
      nil
    ),
    (
      "nested, context",
      Serial(
        Shuffle(), Serial(AffineCoupling(net), ActNorm()), Inverted(Serial(AffineCoupling(net), Reverse()))),
      4, 2
    ),
    ("every split", Serial(Split.all.map { AffineCoupling(net, split: $0) }), 6, nil),
    (
      "spline",
      Serial(Coupling(net, RationalQuadraticSpline(bins: 4)), Coupling(net, Affine(), split: .random)), 5, 3
    ),
    (
      "image",
      Serial(
        Squeeze(), ActNorm(), InvertibleLinear(), AffineCoupling(conv),
        AffineCoupling(conv, split: .checkerboard)),
      [4, 4, 2], nil
    ),
    (
      "image context", Serial(AffineCoupling(conv), AffineCoupling(conv, split: .checkerboard)), [2, 2, 2],
      [2, 2, 1]
    ),
    ("one number", AffineCoupling(net), 1, 2),
    (
      "recursion and leapfrog",
      Serial(HINT(net, permutation: .full, isShared: false), Hyperbolic(hidden: 3), IRIM(net)), 6, 2
    ),
    ("multi-scale", Flow.glow(levels: 2, steps: 1, network: conv).bijection, [4, 4, 1], nil),
    (
      "modes inside", Flow.glow(levels: 2, steps: 2, network: conv).reversible().bijection, [4, 4, 1],
      [4, 4, 1]
    ),
    ("inside and outside", Serial(Tanh(), Inverted(Tanh()), Autoregressive(MADE(hidden: [4]))), 3, nil),
  ]

  private func gradients(
    _ bijection: any Bijection, _ i: Int, inverse isInverse: Bool
  ) throws -> (loss: Double, gradient: Params) {
    let (_, _, inputDim, contextDim) = Self.cases[i]
    let (start, forward, inverse) = try bijection(
      Key(1), inputDim: inputDim, contextDim: contextDim, dtype: .float64)
    let params = start.perturbed(Key(2))
    let context = contextDim.map { Key(3).normal($0.batched(6), dtype: .float64) }
    let x = Key(4).normal(inputDim.batched(6), dtype: .float64)
    let from = isInverse ? try forward(params, x, given: context).outputs : x
    // Inputs and context are differentiated too, as leaves beside the parameters.
    var point: Params = ["params": params, "inputs": .leaf(from)]
    if let context { point = ["params": params, "inputs": .leaf(from), "context": .leaf(context)] }
    let weights = Key(5).normal([6, inputDim.count], dtype: .float64)
    let (loss, gradient) = try valueAndGradient(at: point) { point in
      let given = context == nil ? nil : point["context"]
      let (y, logDet) = try (isInverse ? inverse : forward)(
        point.child("params"), point["inputs"], given: given)
      return (y.reshaped(to: weights.shape) * weights).sum() + square(logDet).sum()
    }
    return (loss.item, gradient)
  }

  @Test(arguments: cases.indices, [false, true]) func gradientsAreTheStoredOnes(_ i: Int, _ isInverse: Bool)
    throws
  {
    let (name, bijection, _, _) = Self.cases[i]
    let (loss, expected) = try gradients(bijection, i, inverse: isInverse)
    for mode in [Reversible(bijection), Reversible(bijection, checkpointEvery: 2)] {
      let (value, gradient) = try gradients(mode, i, inverse: isInverse)
      #expect(value == loss, "\(name)")
      let worst = try gradient.zip(with: expected) { a, b in
        (abs(a - b) / maximum(abs(b), 1)).doubles.max() ?? 0
      }.leaves.max()
      #expect(try #require(worst) < 1e-9, "\(name)")
      #expect(gradient.norm > 0.1)
    }
  }

  /// The rule is really the one that runs: a bijection whose inverse lies gives another gradient.
  @Test func theInverseIsWhatRecovers() throws {
    let lying = Lambda { _, site in
      site.layer("lying", .empty) { _, x, _ in
        (x * x, log(2 * x).sumPerRow())
      } inverse: { _, y, _ in
        (y, log(2 * y).sumPerRow())
      }
    }
    let (params, forward, _) = try Reversible(lying)(Key(0), inputDim: 1, dtype: .float64)
    let slope = try gradient(at: Tensor([[3]], dtype: .float64)) { try forward(params, $0).outputs.sum() }
    #expect(slope.item == 18)  // 2 · 9, not 2 · 3
  }

  @Test func nestedAndForwardModeFallBack() throws {
    let bijection = Serial(ActNorm(), AffineCoupling(Self.net))
    let (params, forward, _) = try Reversible(bijection)(Key(1), inputDim: 4, dtype: .float64)
    let (_, plain, _) = try bijection(Key(1), inputDim: 4, dtype: .float64)
    let (x, v) = (Key(2).normal([3, 4], dtype: .float64), Key(3).normal([3, 4], dtype: .float64))
    func second(_ mapping: Mapping) throws -> Tensor {
      try jvp(at: x, along: v) { x in
        try gradient(at: x) { square(try mapping(params, $0).outputs).sum() }
      }.tangent
    }
    #expect(isClose(try second(forward), try second(plain), 1e-12))
    let (a, b) = (
      try gradient(at: x) { x in try jvp(at: x, along: v) { try forward(params, $0).logDet }.tangent.sum() },
      try gradient(at: x) { x in try jvp(at: x, along: v) { try plain(params, $0).logDet }.tangent.sum() }
    )
    #expect(isClose(a, b, 1e-12))
  }

  @Test func parametersAreTheBijections() throws {
    let bijection = Serial(ActNorm(), AffineCoupling(Self.net))
    let a = try bijection(Key(1), inputDim: 4).params
    #expect(try Reversible(bijection)(Key(1), inputDim: 4).params.isIdentical(to: a))
  }

  /// Memory beyond the gradients, for one pass over 512 rows in one shard.
  @Test func memoryDoesNotGrowWithDepth() throws {
    func peak(_ depth: Int, isReversible: Bool) throws -> Int {
      let layers = Serial(
        (0..<depth).flatMap { _ -> [any Bijection] in [AffineCoupling(Self.net), Reverse()] })
      let flow = Flow(isReversible ? Reversible(layers) : layers)
      let (params, logPDF, _) = try flow(Key(0), inputDim: 16)
      let rows = Key(1).normal([512, 16])
      let gradients = params.learnedLeaves.reduce(0) { $0 + $1.count * 4 }
      let (_, bytes) = try TensorMemory.peak {
        try valueAndGradient(at: params) { -(try logPDF($0, rows)).sum() }
      }
      return bytes - gradients
    }
    let (shallow, deep) = (try peak(4, isReversible: true), try peak(16, isReversible: true))
    let stored = try peak(16, isReversible: false)
    #expect(Double(deep) < 1.3 * Double(shallow), "\(shallow) bytes at depth 4, \(deep) at 16")
    #expect(stored > 3 * deep, "stored \(stored), reversible \(deep)")
  }

  @Test func driftIsReported() throws {
    let steep = ElementwiseAffine()
    let bijection = Serial(steep, AffineCoupling(Self.net), InvertibleLinear(), AffineCoupling(Self.net))
    let x = Key(2).normal([20, 4])
    let params = try bijection(Key(1), inputDim: 4).params
    let drift = try Reversible(bijection).drift(params, x)
    #expect(drift.count == 4 && drift.allSatisfy { $0 < 1e-4 } && drift[0] > 0)
    // A scale of e⁻³⁰ drowns in the shift: what was there cannot be recovered.
    let worse = try params.replacing("0/logScale", by: .leaf(.full([4], -30))).replacing(
      "0/shift", by: .leaf(.ones([4])))
    #expect(try Reversible(bijection).drift(worse, x)[0] > 0.1)
    #expect(try Reversible(bijection, checkpointEvery: 1).drift(params, x)[3] <= drift[3])
  }

  @Test func shardedAndTrained() throws {
    let bijection = Serial(ActNorm(), AffineCoupling(Self.net), Reverse(), AffineCoupling(Self.net))
    let data = Key(3).normal([300, 4])
    var results: [Params] = []
    for flow in [Flow(bijection), Flow(Reversible(bijection))] {
      for threads in [1, 2] {
        let (params, logPDF, _) = try flow(Key(0), inputDim: 4)
        results.append(
          try Parallelism.$threads.withValue(threads) {
            try valueAndGradient(at: params, over: data) { -(try logPDF($0, $1)) }.gradient
          })
      }
    }
    #expect(results[0].isIdentical(to: results[1]) && results[2].isIdentical(to: results[3]))
    let worst = try results[0].zip(with: results[2]) { abs($0 - $1).doubles.max() ?? 0 }.leaves.max()
    #expect(try #require(worst) < 1e-4)
  }
}

extension Split {
  fileprivate static let all: [Split] = [
    .firstHalf, .firstHalf.swapped, .alternating, .alternating.swapped, .random,
    .mask([true, false, false, true, true, false]),
  ]
}
