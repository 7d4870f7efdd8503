import Bijections
import Distributions
import Randomness
import Tensors
import Training
import Testing

/// A weight of 0 switches off what it weighs: 0 times infinity is no number.
@Suite struct ZeroWeightTests {
  private let positive = Flow(Serial(Log(), ActNorm()))

  /// The fifth row lies outside the support.
  @Test func rowsOfWeightZeroMayLieAnywhere() throws {
    for outside in [-1, .nan, .infinity] {
      let data = Tensor([[1], [2], [3], [4], [outside]])
      func run(_ data: Tensor, _ weights: Tensor?) throws -> Fitted {
        try fit(
          positive, to: data, weights: weights, key: Key(0), epochs: 5, batchSize: 2,
          validationFraction: 0.25, progress: .silent)
      }
      let weighted = try run(data, Tensor([1, 1, 1, 1, 0]))
      let plain = try run(data[0..<4], nil)
      #expect(weighted.params.isIdentical(to: plain.params) && weighted.history == plain.history)
      #expect(throws: FlowError.self) { try run(data, Tensor([1, 1, 1, 0, 1])) }
    }
  }

  @Test func objectivesLeaveThemOut() throws {
    let (params, logPDF, sample) = try positive(Key(0), inputDim: 1, dtype: .float64)
    func loss(_ rows: [[Double]], _ weights: [Double]?) throws -> (value: Tensor, gradient: Params) {
      try MaximumLikelihood().valueAndGradient(
        at: params,
        TrainingStep(
          logPDF: logPDF, sample: sample, rows: Tensor(rows, dtype: .float64),
          weights: weights.map { Tensor($0, dtype: .float64) }, key: Key(0)))
    }
    let weighted = try loss([[1], [-1], [3]], [1.5, 0, 1.5])
    let plain = try loss([[1], [3]], nil)
    #expect(abs(weighted.value.item - plain.value.item) < 1e-12)
    #expect(abs(weighted.gradient.norm - plain.gradient.norm) < 1e-12)
  }

  /// Draws of q at which p is 0.
  @Test func drawsOfWeightZeroLeaveTheGradientFinite() throws {
    let half = Target("half normal", inputDim: 1) { x in
      let inside = (x .> 0).reshaped(to: [x.rows])
      return select(where: inside, -0.5 * square(x).sumPerRow(), -.infinity)
    }
    let (params, logPDF, sample) = try Normal(.learned)(Key(1), inputDim: 1)
    let step = TrainingStep(logPDF: logPDF, sample: sample, target: half, key: Key(2))
    for objective: any Objective in [
      VariationalBound.importanceWeighted(), VariationalBound.alphaDivergence(0.5),
      VariationalBound.importanceWeighted(estimator: .pathwise), SelfNormalizedForwardKL(),
    ] {
      let (value, gradient) = try objective.valueAndGradient(at: params, step)
      #expect(value.isFinite && gradient.leaves.allSatisfy { $0.isFinite })
    }
    // The ELBO of such a flow is −∞: that is said, and not NaN.
    #expect(try VariationalBound.reverseKL().valueAndGradient(at: params, step).value.item == .infinity)
    let weights = try ImportanceWeights(sample, params, of: half, key: Key(3), draws: 1_000)
    #expect(weights.elbo == -.infinity && weights.elboError == .infinity)
    #expect(abs(weights.logEvidence - log(Tensor(2 * Double.pi)).item / 2 + log(Tensor(2)).item) < 0.1)
    #expect(weights.paretoSmoothed.logWeights.allSatisfy { !$0.isNaN })
  }

  @Test func noWeightAtAll() {
    let none = ImportanceWeights(logWeights: [-.infinity, -.infinity, -.infinity])
    #expect(none.elbo == -.infinity && none.elboError == .infinity && none.logEvidence == -.infinity)
    #expect(none.effectiveSampleSize == 0 && none.logEvidenceError == .infinity)
    #expect(none.normalized.doubles == [0, 0, 0] && none.paretoK == .infinity)
  }

  @Test func termsAndTemperaturesOfZero() throws {
    let target = Target("inside", inputDim: 1) { x in
      select(where: (square(x) .< 1).reshaped(to: [x.rows]), Tensor.zeros([x.rows]), -.infinity)
    }
    #expect(try target.tempered(0)(Tensor([[0], [2]])).doubles == [0, 0])
    let (params, logPDF, sample) = try Normal(.learned)(Key(1), inputDim: 1)
    let step = TrainingStep(logPDF: logPDF, sample: sample, target: target, key: Key(2))
    let sum = WeightedSum((0, VariationalBound.reverseKL()), (1, ForwardKL(on: .zeros([3, 1]))))
    #expect(try sum.valueAndGradient(at: params, step).value.isFinite)
  }

  @Test func clippingAtZero() throws {
    let zero: Params = ["w": .leaf(Tensor([0, 0]))]
    #expect(try ClipByGlobalNorm(0).transform(zero, .empty, zero).step.isIdentical(to: zero))
    let one: Params = ["w": .leaf(Tensor([1, 0]))]
    #expect(try ClipByGlobalNorm(0).transform(one, .empty, one).step.isIdentical(to: zero))
  }
}
