import Flows
import TestSupport
import Testing

/// Glow with the parts of its program: normalized networks, a learned prior at the top, additive couplings.
@Suite struct GlowStartTests {
  private let images = 3 + 2 * Key(1).normal([64, 4, 4, 1], dtype: .float64)

  /// With data every hidden channel of a coupling's network starts with mean 0 and deviation 1.
  @Test func networksStartFromData() throws {
    let net = NormalizedConvNet(hidden: [5, 4], activation: .identity)
    let x = concatenate([images, square(images), images, -images], axis: -1)
    let coupling = AffineCoupling(net)
    for (bijection, isBackwards) in [(coupling as any Bijection, false), (Inverted(coupling), true)] {
      let (params, _, _) = try bijection(Key(2), inputDim: [4, 4, 4], initInputs: x, dtype: .float64)
      let start = isBackwards ? params.child(0) : params.child("net")
      var h = x.sliced(axis: -1, 0..<2)
      for (i, window) in [3, 1].enumerated() {
        let own = (isBackwards ? params : params.child("net"))[path: "conv_\(i)"] ?? start.child("conv_\(i)")
        let conv = try Conv(Shape([window]))(
          Key(0), inputDim: Shape([4, 4, h.shape[-1]]), outputDim: Shape([4, 4, own["bias"].count]),
          dtype: .float64)
        h = conv.apply(own, h) * exp(3 * own["logScale"])
        let rows = h.reshaped(to: [h.count / h.shape[-1], h.shape[-1]])
        let mean = rows.mean(axis: 0)
        #expect(isClose(mean, 0 * mean, 1e-9))
        #expect(isClose(square(rows).mean(axis: 0), 0 * mean + 1, 1e-4))
      }
    }
  }

  /// A prior of the last channels: location `bias` and deviation exp(−logScale), not started from data.
  @Test func theTopIsLearned() throws {
    let flow = Flow.glow(levels: 1, steps: 1, hidden: 3, learnsTop: true)
    let (params, logPDF, _) = try flow(Key(3), inputDim: [4, 4, 1], initInputs: images, dtype: .float64)
    let paths = params.paths.filter { $0.hasSuffix("/bias") && params[path: $0]!.value!.shape == [4] }
    let top = try #require(paths.last)
    #expect(params[path: top]!.value!.doubles.allSatisfy { $0 == 0 })
    let bias = Tensor([1, -1, 0.5, 2], dtype: .float64)
    let moved = try params.replacing(top, by: .leaf(bias))
    let plain = Flow.glow(levels: 1, steps: 1, hidden: 3)
    let (_, forward, _) = try plain.bijection(
      Key(3).folded(in: 0), inputDim: [4, 4, 1], initInputs: images, dtype: .float64)
    let inner = try plain(Key(3), inputDim: [4, 4, 1], initInputs: images, dtype: .float64).params
    let (z, logDet) = try forward(inner.child("bijection"), images)
    let shifted = z.reshaped(to: [64, 2, 2, 4]) - bias
    let expected = -0.5 * square(shifted).sumPerRow() - 8 * 1.8378770664093454 + logDet
    #expect(isClose(try logPDF(moved, images), expected, 1e-10))
  }

  /// Additive couplings leave the volume to the linear maps and ActNorms.
  @Test func additiveCouplings() throws {
    let flow = Flow.glow(levels: 2, steps: 2, hidden: 3, additive: true)
    #expect("\(flow)".contains("AdditiveCoupling") && !"\(flow)".contains("AffineCoupling"))
  }
}
