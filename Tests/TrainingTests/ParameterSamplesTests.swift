import Bijections
import Distributions
import Files
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct ParameterSamplesTests {
  private let flow = Flow(Serial(ElementwiseAffine(), AffineCoupling(MLP(hidden: [4]))))
  private let x = Key(70).normal([40, 2])

  /// Three trees apart from each other.
  private func trees(_ dtype: DType = .float64) throws -> (
    members: [Params], logPDF: LogPDF, sample: Sampler
  ) {
    let (params, logPDF, sample) = try flow(Key(1), inputDim: 2, dtype: dtype)
    let members = (0..<3).map { m in
      let draws = params.learnedLeaves.enumerated().map { i, leaf in
        leaf + 0.3 * Key(71 + m).folded(in: i).normal(leaf.shape, dtype: dtype)
      }
      return params.replacingLearned(with: draws)
    }
    return (members, logPDF, sample)
  }

  @Test func densitiesAreAveragedNotTheirLogarithms() throws {
    let (members, logPDF, sample) = try trees()
    let samples = try ParameterSamples(members, weights: [1, 2, 5])
    #expect(samples.weights == [0.125, 0.25, 0.625])
    let rows = x.cast(to: .float64)
    let own = try members.map { exp(try logPDF($0, rows)) }
    let expected = log(0.125 * own[0] + 0.25 * own[1] + 0.625 * own[2])
    let density = try logPDF(samples, rows)
    #expect(isClose(density, expected, 1e-12))
    // The predictive functions and the mixture of copies are the same, to the bit.
    let (params, mixed, draw) = try samples.predictive(logPDF, sample)
    #expect(try mixed(params, rows).isIdentical(to: density))
    let mixture = try Mixture(count: 3, of: flow, weights: .fixed(Tensor([1.0, 1, 1])))(
      Key(0), inputDim: 2, dtype: .float64)
    #expect(try mixture.logPDF(params, rows).isIdentical(to: density))
    let draws = try sample(Key(2), samples, count: 500)
    let both = try draw.withLogPDF(Key(2), params, count: 500)
    #expect(
      draws.isIdentical(to: try draw(Key(2), params, count: 500)) && draws.isIdentical(to: both.samples))
    #expect(draws.isIdentical(to: try mixture.sample(Key(2), params, count: 500)))
    #expect(both.logPDF.isIdentical(to: try logPDF(samples, draws)))
    #expect(try mixed.inChunks(params, rows, of: 7).isIdentical(to: density))
  }

  @Test func drawsComeFromMembersByWeight() throws {
    let (_, logPDF, sample) = try Normal(location: .learned, scale: 1)(Key(0), inputDim: 1)
    func at(_ location: Double) -> Params {
      ["location": .leaf(Tensor([location])), "logScale": .frozen(.zeros([1]))]
    }
    let samples = try ParameterSamples([at(-50), at(0), at(50)], weights: [0.2, 0, 0.8])
    #expect(samples.count == 2 && samples.weights == [0.2, 0.8])
    let draws = try sample(Key(3), samples, count: 4_000)
    #expect(abs((draws .> 0).mean().item - 0.8) < 0.02)
    let far = try logPDF(samples, Tensor([[50.0]]))
    #expect(abs(far.item - (-0.9189385 - 0.2231436)) < 1e-5)
    #expect(try sample(Key(3), samples, count: 0).shape == [0, 1])
    // A model without parameters in float64.
    let standard = try Normal()(Key(0), inputDim: 1, dtype: .float64)
    let none = try ParameterSamples([.empty, .empty])
    #expect(try standard.logPDF(none, draws.cast(to: .float64)).isFinite)
    #expect(try standard.sample(Key(0), none, count: 3).dtype == .float64)
  }

  @Test func wrongSetsAreRefused() throws {
    let (members, logPDF, sample) = try trees(.float32)
    func text(_ members: [Params], _ weights: [Double]? = nil) -> String? {
      #expect(throws: FlowError.self) { try ParameterSamples(members, weights: weights) }?.description
    }
    #expect(text([]) == "ParameterSamples: expected members at least one, got none")
    #expect(text(members, [1, 2]) == "ParameterSamples: expected weights as many as the 3 members, got 2")
    #expect(text(members, [1, .nan, 1])?.contains("finite weights") == true)
    #expect(text(members, [1, .infinity, 1])?.contains("finite weights") == true)
    #expect(text(members, [1, -1, 1])?.contains("not negative and not all 0") == true)
    #expect(text(members, [0, 0, 0])?.contains("not negative and not all 0") == true)
    let other: Params = ["location": .leaf(.zeros([2]))]
    #expect(text([members[0], other])?.contains("location") == true)
    #expect(text([members[0], members[1].cast(to: .float64)])?.contains("float64") == true)
    #expect(text([members[0], members[1].frozen])?.contains("frozen") == true)
    #expect(text([members[0], 1 / 0.0 * members[1]])?.contains("parameters of member 1") == true)
    // A member without weight is not used.
    #expect(try ParameterSamples([members[0], .nan * members[1]], weights: [2, 0]).count == 1)
    #expect(
      try ParameterSamples(members, weights: [1e308, 1e308, 1e308]).weights == [1.0 / 3, 1.0 / 3, 1.0 / 3])
    // Functions of another model.
    let samples = try ParameterSamples([other])
    #expect(throws: FlowError.self) { try logPDF(samples, x) }
    #expect(throws: FlowError.self) { try sample(Key(0), samples, count: 3) }
    #expect(throws: FlowError.self) { try samples.predictive(logPDF, sample) }
  }

  @Test func filesHoldTheMembers() throws {
    let (members, logPDF, _) = try trees(.float32)
    let samples = try ParameterSamples(members, weights: [1, 2, 5])
    let file = try SafeTensors.parse(bytes: SafeTensors(samples.params).bytes, source: "memory")
    let again = try ParameterSamples(file, like: members[2])
    #expect(zip(again.members, members).allSatisfy { $0.isIdentical(to: $1) })
    #expect(isClose(Tensor(again.weights), Tensor(samples.weights), 1e-6))
    #expect(try isClose(logPDF(again, x), logPDF(samples, x), 1e-5))
    for wrong in [members[0], Params.empty, ["logWeights": .frozen(.zeros([1])), "components": .empty]] {
      #expect(throws: FlowError.self) { try ParameterSamples(params: wrong) }
      #expect(throws: FlowError.self) { try ParameterSamples(SafeTensors(wrong), like: members[0]) }
    }
    #expect(throws: FlowError.self) { try ParameterSamples(file, like: ["location": .leaf(.zeros([2]))]) }
  }

  @Test func bandsAreWeightedQuantiles() throws {
    let samples = try ParameterSamples(
      [4, 1, 3, 2, 5].map { ["a": .leaf(Tensor([Double($0)]))] }, weights: [1, 1, 1, 1, 1])
    let values = try samples.evaluate { $0["a"] }
    #expect(values.mean.item == 3 && values.variance.item == 2)
    // Hazen's rule, as NumPy's quantile(method="hazen").
    #expect(values.quantile(0.5).item == 3 && abs(values.quantile(0.25).item - 1.75) < 1e-12)
    #expect(values.quantile(0).item == 1 && values.quantile(1).item == 5)
    #expect(abs(values.band(0.6).lower.item - 1.5) < 1e-12 && abs(values.band(0.6).upper.item - 4.5) < 1e-12)
    // A weight of 2 is two members.
    let heavy = try ParameterSamples(
      [1, 2, 2, 3].map { ["a": .leaf(Tensor([Double($0)]))] }
    ).evaluate { $0["a"] }
    let single = try ParameterSamples(
      [1, 2, 3].map { ["a": .leaf(Tensor([Double($0)]))] }, weights: [1, 2, 1]
    ).evaluate { $0["a"] }
    #expect(heavy.mean.item == single.mean.item && heavy.variance.item == single.variance.item)
    #expect(heavy.quantile(0.5).item == 2 && single.quantile(0.5).item == 2)
    let odd = try samples.evaluate {
      $0["a"].item == 3 ? Tensor([Double.nan, 1]) : Tensor([Double.infinity, 1])
    }
    #expect(odd.quantile(0.5).doubles[0].isNaN && odd.quantile(0.5).doubles[1] == 1)
    #expect(throws: FlowError.self) {
      try samples.evaluate { Tensor([Double](repeating: 0, count: Int($0["a"].item))) }
    }
  }

  @Test func binSharesAreThoseOfAHistogram() throws {
    let values = Tensor([0, 0.5, 1, 1, 2.5, 3, 9, -1])
    #expect(try binShares(of: values, edges: [0, 1, 2, 3]).doubles == [2.0 / 8, 2.0 / 8, 2.0 / 8])
    let weights = Tensor([1, 0, 1, 1, 1, 1, 4, 1])
    #expect(try binShares(of: values, edges: [0, 1, 2, 3], weights: weights).doubles == [0.1, 0.2, 0.2])
    #expect(try binShares(of: values, edges: [-.infinity, 0, .infinity]).doubles == [1.0 / 8, 7.0 / 8])
    let huge = Tensor([1e308, 1e308, 1e308], dtype: .float64)
    #expect(try binShares(of: Tensor([0.0, 0, 2]), edges: [0, 1], weights: huge).item == 2.0 / 3)
    func fails(_ edges: [Double], _ values: Tensor, _ weights: Tensor? = nil) {
      #expect(throws: FlowError.self) { try binShares(of: values, edges: edges, weights: weights) }
    }
    fails([0], values)
    fails([], values)
    fails([0, 0], values)
    fails([0, .nan], values)
    fails([0, 1], Tensor([Double]()))
    fails([0, 1], Tensor([Double.nan]))
    fails([0, 1], values, Tensor([1]))
    fails([0, 1], Tensor([1]), Tensor([-1]))
    fails([0, 1], Tensor([1]), Tensor([0]))
    fails([0, 1], Tensor([1]), Tensor([Double.nan]))
  }

  /// N(μ, σ²) members: the parts are the mean of σ² and the variance of μ.
  @Test func variancesAddUp() throws {
    let (_, _, sample) = try Normal(location: .learned, scale: .learned)(Key(0), inputDim: 1, dtype: .float64)
    func at(_ location: Double, _ scale: Double) -> Params {
      [
        "location": .leaf(Tensor([location], dtype: .float64)),
        "logScale": .leaf(log(Tensor([scale], dtype: .float64))),
      ]
    }
    let samples = try ParameterSamples([at(-1, 0.5), at(0, 1), at(2, 2)], weights: [1, 1, 2])
    let parts = try samples.variance(of: sample, key: Key(4), draws: 20_000)
    #expect(abs(parts.mean.item - 0.75) < 0.03)
    #expect(abs(parts.aleatoric.item - (0.25 * 0.25 + 0.25 + 2)) < 0.06)
    #expect(abs(parts.epistemic.item - (0.25 * 1 + 0.5 * 4 - 0.75 * 0.75)) < 0.05)
    // The sum is the variance of all draws together, as an identity.
    let all = try samples.members.map { try sample(Key(4), $0, count: 20_000) }
    let means = all.map { $0.mean().item }
    let squares = all.map { square($0).mean().item }
    let mean = zip(samples.weights, means).reduce(0) { $0 + $1.0 * $1.1 }
    let total = zip(samples.weights, squares).reduce(0) { $0 + $1.0 * $1.1 } - mean * mean
    #expect(abs(parts.total.item - total) < 1e-9)
    let tails = try samples.variance(of: sample, key: Key(4), draws: 5_000) { ($0 .> 1).cast(to: .float64) }
    #expect(abs(tails.total.item - tails.mean.item * (1 - tails.mean.item)) < 1e-12)
    #expect(throws: FlowError.self) { try samples.variance(of: sample, key: Key(4), draws: 5) { $0.sum() } }
    #expect(throws: FlowError.self) {
      try samples.variance(of: sample, key: Key(4), draws: 5, given: Tensor([[1.0]]))
    }
  }
}
