import Bijections
import Distributions
import Integration
import Networks
import Privacy
import Randomness
import Tensors
import Testing
import Training

/// A fit refuses a context that its distribution ignores.
@Suite struct UnreadContextTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let distribution: any Distribution
    var testDescription: String { name }
  }

  private let data = Key(0).normal([30, 2])
  private let context = Key(1).normal([30, 1])

  private func fitted(_ distribution: any Distribution, given context: Tensor?) throws -> Fitted {
    func run(_ distribution: some Distribution) throws -> Fitted {
      try fit(
        distribution, to: data, given: context, key: Key(2), epochs: 1, batchSize: 15, progress: .silent)
    }
    return try run(distribution)
  }

  @Test(arguments: [
    Row(name: "Gaussianization", distribution: Flow.gaussianization(layers: 1, components: 2)),
    Row(name: "planar", distribution: Flow.planar(layers: 1)),
    Row(name: "radial", distribution: Flow.radial(layers: 1)),
    Row(name: "Sylvester", distribution: Flow.sylvester(layers: 1)),
    Row(name: "mixture", distribution: Flow.splineMixture(layers: 0)),
    Row(name: "triangular", distribution: Flow(TriangularAffine())),
    Row(name: "GaussianMixture", distribution: GaussianMixture(components: 2)),
    Row(name: "hidden from the bijection alone", distribution: Flow(Conditioned(ActNorm(), by: NoContext()))),
    Row(
      name: "an embedding for nothing",
      distribution: Conditioned(Flow(ActNorm()), by: Summary(hidden: [4], width: 2))),
  ]) func ignoredContextsThrow(_ row: Row) throws {
    let error = #expect(throws: FlowError.self) { try fitted(row.distribution, given: context) }
    #expect(error?.description.contains("expected a context that a layer or the prior reads") == true)
    if row.name != "an embedding for nothing" { _ = try fitted(row.distribution, given: nil) }
  }

  /// Conditioners start at zero, so at the start no number depends on the context.
  @Test(arguments: [
    Row(name: "MAF", distribution: Flow.maf(layers: 1, hidden: [4])),
    Row(name: "IAF", distribution: Flow.iaf(layers: 1, hidden: [4])),
    Row(name: "coupling", distribution: Flow.realNVP(layers: 1, hidden: [4])),
    Row(name: "reversible", distribution: Flow.realNVP(layers: 2, hidden: [4]).reversible()),
    Row(name: "the prior alone", distribution: Flow(ActNorm(), prior: ConditionalNormal(MLP(hidden: [4])))),
    Row(name: "regression", distribution: Flow.splineMixture(layers: 0, regression: true)),
    Row(name: "continuous", distribution: Flow.cnf(hidden: [4], solver: .steps(2))),
    Row(name: "a comparison alone", distribution: Flow(UnreadContextTests.sideShift)),
    Row(name: "numbers alone", distribution: Flow(UnreadContextTests.numberShift)),
    Row(
      name: "said so", distribution: Conditioned(Flow(ActNorm()), by: NoContext())),
  ]) func readContextsPass(_ row: Row) throws {
    _ = try fitted(row.distribution, given: context)
  }

  /// A layer whose only look at the context has no derivative.
  private static let sideShift = Lambda { _, site in
    site.volumePreserving("sideShift") { _, x, context in
      x + (context! .> 0)
    } inverse: { _, y, context in
      y - (context! .> 0)
    }
  }

  /// A layer that takes the context's numbers out of its tensor.
  private static let numberShift = Lambda { _, site in
    @Sendable func shift(_ context: Tensor) -> Tensor {
      Tensor(context.doubles, shape: context.shape, dtype: .float32)
    }
    return site.volumePreserving("numberShift") { _, x, context in
      x + shift(context!)
    } inverse: { _, y, context in
      y - shift(context!)
    }
  }

  @Test func targetsAndPrivateFitsRefuseThemToo() throws {
    let target = Target("normal", inputDim: 2, contextDim: 1) { x, context in
      -0.5 * square(x - context).sum(axis: 1)
    }
    func targeted(_ flow: Flow) throws {
      _ = try fit(flow, to: target, given: context, key: Key(0), iterations: 1, progress: .silent)
    }
    #expect(throws: FlowError.self) { try targeted(.planar(layers: 1)) }
    try targeted(.iaf(layers: 1, hidden: [4]))
    let plan = try PrivacyPlan(epsilon: 3, delta: 1e-5, rate: 0.1, batch: 3, steps: 2)
    func privately(_ flow: Flow) throws {
      _ = try fit(
        flow, to: data, given: context, privately: plan, noise: .notPrivate(seed: 1), key: Key(0),
        progress: .silent)
    }
    #expect(throws: FlowError.self) { try privately(.planar(layers: 1)) }
    try privately(.maf(layers: 1, hidden: [4]))
  }
}
