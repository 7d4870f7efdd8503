import Flows
import TestSupport
import Testing

@Suite struct DequantizedTests {
  /// Uniform dequantization of a density that is constant in each bin is exact: log P = log(mass of the bin).
  @Test func ofAHistogram() throws {
    let model = Dequantized(Uniform(), levels: 4)
    let (params, logPDF, _) = try model(Key(0), inputDim: [2, 2, 1])
    let images = Tensor([0, 1, 2, 3, 3, 3, 0, 0], shape: [2, 2, 2, 1])
    let bound = try logPDF(params, images)
    #expect(
      isClose(
        bound.cast(to: .float64), Tensor([-5.545177444479562, -5.545177444479562], dtype: .float64), 1e-5))
    #expect(isClose(bitsPerDimension(bound, sampleDim: [2, 2, 1]), Tensor([2, 2]), 1e-5))
    #expect(model.images(model.uniform(Key(2), images)).isIdentical(to: images))
    let outside = Tensor([-1, 0, 0, 0, 0.5, 0, 0, 0, 4, 0, 0, 0], shape: [3, 2, 2, 1])
    #expect(try logPDF(params, outside).doubles == [-.infinity, -.infinity, -.infinity])
  }

  private static let density = Flow(Serial(PixelLogit(), ActNorm()))
  private static let noise = Serial(Logit(), AffineCoupling(MLP(hidden: [4], lastWeight: .glorotUniform)))

  private func mean(
    _ model: Dequantized, _ params: Params, streams: Int, _ value: (Tensor) -> Tensor
  ) throws -> [Double] {
    let (_, logPDF, _) = try model(Key(0), inputDim: 1, dtype: .float64)
    let levels = Tensor([[0], [1], [2]], dtype: .float64)
    var (params, total) = (params, Tensor.zeros([3], dtype: .float64))
    for _ in 0..<streams {
      total = total + value(try logPDF(params, levels))
      params = try logPDF.updatingStatistics(params, levels)
    }
    return (total / Double(streams)).doubles
  }

  /// Σ over all images of E[exp bound] is 1 for uniform and for variational noise. The bound stays below
  /// log P, and more draws make it tighter.
  @Test func bounds() throws {
    let (plain, variational) = (
      Dequantized(Self.density, levels: 3), Dequantized(Self.density, levels: 3, noise: Self.noise)
    )
    let own = try plain(Key(0), inputDim: 1, dtype: .float64).params
    let params = try variational(Key(0), inputDim: 1, dtype: .float64).params
    let probability = try mean(plain, own, streams: 400, exp)
    #expect(abs(probability.reduce(0, +) - 1) < 0.02, "\(probability)")
    let many = Dequantized(Self.density, levels: 3, noise: Self.noise, samples: 16)
    let (one, sixteen) = (
      try mean(variational, params, streams: 400, { $0 }), try mean(many, params, streams: 25, { $0 })
    )
    for level in 0..<3 {
      let logP = log(Tensor(probability[level], dtype: .float64)).item
      #expect(one[level] < sixteen[level] && sixteen[level] < logP + 0.02, "\(one), \(sixteen), \(logP)")
    }
    let (_, logPDF, _) = try variational(Key(0), inputDim: 1, dtype: .float64)
    let slope = try gradient(at: params) { try logPDF($0, Tensor.ones([8, 1], dtype: .float64)).sum() }
    #expect(slope.child("noise").norm > 0 && slope.child("density").norm > 0)
  }

  /// Rounding keeps every number inside its level's interval, and inside (0, 1).
  @Test(arguments: [DType.float32, .float64], [2, 3, 10, 17, 256, 1000, 65536])
  func levelsAreKept(_ dtype: DType, _ levels: Int) throws {
    let model = Dequantized(Uniform(), levels: levels)
    let grey = Tensor((0..<levels).map(Double.init), shape: [levels, 1], dtype: dtype)
    let tiny = dtype == .float32 ? 1e-45 : Double.leastNonzeroMagnitude
    for u in [0, tiny, dtype.epsilon, 0.3, 1 - dtype.epsilon, 1 - dtype.epsilon / 2, 1] {
      let v = model.scaled(grey, .full([levels, 1], u, dtype: dtype))
      #expect(model.images(v).isIdentical(to: grey))
      #expect(v.doubles.allSatisfy { $0 > 0 && $0 < 1 })
    }
    let (params, logPDF, _) = try Dequantized(Flow(Logit()), levels: levels)(
      Key(0), inputDim: 1, dtype: dtype)
    #expect(try logPDF(params, grey.rows([0, 1, levels / 2, levels - 1])).isFinite)
  }

  /// The noise of a row depends on the row and the step alone.
  @Test func noise() throws {
    let model = Dequantized(Flow(Serial(PixelLogit(), ActNorm())), levels: 8)
    let (params, logPDF, _) = try model(Key(0), inputDim: 3)
    let images = floor(8 * Key(1).uniform([6, 3]))
    let all = try logPDF(params, images)
    let reversed = try logPDF(params, images.rows([5, 4, 3, 2, 1, 0]))
    #expect(reversed.isIdentical(to: all.rows([5, 4, 3, 2, 1, 0])))
    let moved = try logPDF.updatingStatistics(params, images)
    #expect(moved["stream"].doubles[1] == 1)
    let again = try logPDF(moved, images)
    #expect(zip(again.doubles, all.doubles).allSatisfy { $0 != $1 })
  }

  @Test func wrongNoise() {
    #expect(throws: FlowError.self) {
      _ = try Dequantized(Uniform(), noise: AffineCoupling(MLP(hidden: [])))(Key(0), inputDim: 2)
    }
  }

  /// `fit` trains density and noise by the bound, with new noise at each step.
  @Test func fitTrainsTheBound() throws {
    let data = floor(minimum(maximum(2 + Key(5).normal([256, 1]) * Tensor([0.3, 0.3]), 0), 3))
    let net = MLP(hidden: [8], activation: .tanh)
    let density = Flow(Serial(PixelLogit(), ActNorm(), AffineCoupling(net), Reverse(), AffineCoupling(net)))
    let learned = Dequantized(density, levels: 4, noise: Serial(Logit(), AffineCoupling(net)))
    let optimizer = Adam(learningRate: 1e-2)
    let fitted = try fit(learned, to: data, key: Key(0), epochs: 30, batchSize: 64, optimizer: optimizer)
    let steps = fitted.params["stream"].doubles[1]
    #expect(steps > 20)
    func bound(_ params: Params) throws -> Double { try fitted.logPDF(params, data).mean().item }
    let initial = try learned(Key(0), inputDim: 2, initInputs: data).params
    let (before, after) = (try bound(initial), try bound(fitted.params))
    #expect(after > before + 0.3, "\(before) \(after)")
    let fixed = try bound(fitted.params.replacing("noise", by: initial.child("noise")))
    #expect(after > fixed + 0.05, "the trained noise gives \(after), the initial one \(fixed)")
  }
}
