import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// What squeezes do to positions, wavelets to signals, and levels to the parts that go out.
@Suite struct ImageShapeTests {
  private let image = Tensor((0..<16).map(Double.init), shape: [1, 4, 4, 1], dtype: .float64)

  private func forward(_ layer: some Bijection, _ x: Tensor) throws -> Tensor {
    let (params, forward, _) = try layer(Key(0), inputDim: x.shape.sample, dtype: x.dtype)
    return try forward(params, x).outputs
  }

  @Test func whatMeetsInOnePosition() throws {
    #expect(try forward(Squeeze(), image).doubles[..<8] == [0, 1, 4, 5, 2, 3, 6, 7])
    #expect(try forward(Squeeze(.patch), image).doubles[..<8] == [0, 2, 8, 10, 1, 3, 9, 11])
    #expect(try forward(Squeeze(.column), image).doubles[..<8] == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(try forward(Squeeze(), image).shape == [1, 2, 2, 4])
  }

  /// Orthonormal Haar: the mean of a block is half its low-pass part, in InvertibleNetworks' order a, v, h,
  /// d.
  @Test func haarOfABlock() throws {
    let block = Tensor([1, 2, 3, 5], shape: [1, 2, 2, 1], dtype: .float64)
    let y = try forward(Squeeze(.haar), block)
    #expect(isClose(y.reshaped(to: [4]), Tensor([5.5, -1.5, -2.5, 0.5], dtype: .float64), 1e-14))
  }

  /// Filters against their tabulated digits, and their vanishing moments: Σ kᵐ g(k) = 0.
  @Test(arguments: [(Wavelet.haar, 1), (.db2, 2), (.db3, 3), (.db4, 4), (.coif1, 2)])
  func highPassHasVanishingMoments(_ wavelet: Wavelet, _ moments: Int) {
    let n = wavelet.filter.count
    for m in 0..<moments {
      let moment = (0..<n).reduce(0.0) { sum, k in
        let power = (0..<m).reduce(1.0) { product, _ in product * Double(k) }
        return sum + power * (k % 2 == 0 ? 1 : -1) * wavelet.filter[n - 1 - k]
      }
      #expect(abs(moment) < 1e-6, "moment \(m) of \(n) coefficients")
    }
    #expect(abs(wavelet.filter.reduce(0, +) - (2.0).squareRoot()) < 1e-9)
  }

  @Test func filtersHaveTheirDigits() {
    // Daubechies 1992, table 6.1, as PyWavelets has them (in the opposite order).
    #expect(abs(Wavelet.db2.filter[0] - 0.48296291314469025) < 1e-11)
    #expect(abs(Wavelet.db3.filter[0] - 0.3326705529509569) < 1e-11)
    #expect(abs(Wavelet.coif1.filter[2] - 0.8525720202122554) < 1e-7)
  }

  /// A ramp has no high-pass part where the filter does not wrap.
  @Test func aRampIsSmoothToDb2() throws {
    let ramp = Tensor((0..<12).map(Double.init), shape: [1, 12, 1], dtype: .float64)
    let high = try forward(Squeeze(.wavelet(.db2)), ramp).sliced(axis: -1, 1..<2).doubles
    #expect(high[..<5].allSatisfy { abs($0) < 1e-12 } && abs(high[5]) > 1)
  }

  @Test func levelsFactorOutTheSecondHalf() throws {
    let x = Key(1).normal([3, 2, 2, 4], dtype: .float64)
    let z = try forward(MultiScale([Serial(), Serial()]), x)
    #expect(z.sliced(axis: 1, 0..<8).isIdentical(to: x.sliced(axis: -1, 2..<4).reshaped(to: [3, 8])))
    #expect(z.sliced(axis: 1, 8..<16).isIdentical(to: x.sliced(axis: -1, 0..<2).reshaped(to: [3, 8])))
  }

  /// log p of what goes out, under the learned prior, is a normal's with the conditioner's mean and
  /// deviation.
  @Test func theLearnedPriorIsAConditionalNormal() throws {
    let network = MLP(hidden: [4], lastWeight: .glorotUniform)
    let flow = Flow(MultiScale([Serial(), Serial()], prior: network))
    let (params, logPDF, _) = try flow(Key(3), inputDim: 4, dtype: .float64)
    let x = Key(1).normal([5, 4], dtype: .float64)
    let (kept, out) = (x.sliced(axis: -1, 0..<2), x.sliced(axis: -1, 2..<4))
    let (_, conditional, _) = try ConditionalNormal(network, scale: .bounded(4))(
      Key(0), inputDim: 2, contextDim: 2, dtype: .float64)
    let net = try #require(params[path: "bijection/prior_0/net"])
    let expected = try conditional(["net": net], out, given: kept) - 0.5 * square(kept).sumPerRow() - log2pi
    #expect(isClose(try logPDF(params, x), expected, 1e-12))
  }

  @Test func wrongShapesThrow() {
    #expect(throws: FlowError.self) { _ = try Squeeze()(Key(0), inputDim: [3, 4, 1]) }
    #expect(throws: FlowError.self) { _ = try Squeeze()(Key(0), inputDim: 4) }
    #expect(throws: FlowError.self) { _ = try Unsqueeze()(Key(0), inputDim: [2, 2, 3]) }
    #expect(throws: FlowError.self) {
      _ = try MultiScale([ActNorm(), ActNorm()])(Key(0), inputDim: [2, 2, 1])
    }
  }
}

private let log2pi = 1.8378770664093454836
