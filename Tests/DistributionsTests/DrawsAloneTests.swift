import Bijections
import Distributions
import Integration
import Networks
import Randomness
import Tensors
import Testing

/// Draws of flows whose log-dets cost much are computed without them.
@Suite struct DrawsAloneTests {
  static let network = MLP(hidden: [8], activation: .tanh, lastWeight: .normal(standardDeviation: 0.5))
  static let layers: [(name: String, layer: any Bijection, error: Double)] = [
    ("equal steps", ContinuousFlow(NetworkField(network), solver: .steps(3), logDet: .trace), 0),
    (
      "the steps' own log-det", ContinuousFlow(NetworkField(network), solver: .steps(3), logDet: .discrete), 0
    ),
    (
      "a tolerance",
      ContinuousFlow(
        NetworkField(network), solver: .tolerance(relative: 1e-4, absolute: 1e-4), logDet: .trace), 1e-2
    ),
    ("an exact inverse", ContinuousFlow(NetworkField(network), solver: .steps(3), exactInverse: true), 0),
    ("a residual layer", ResidualFlow(SpectralMLP(hidden: [8])), 0),
    ("backwards", Inverted(ContinuousFlow(NetworkField(network), solver: .steps(3))), 0),
    (
      "within a chain",
      Serial(Log(), ActNorm(), ContinuousFlow(OTFlowPotential(width: 4), solver: .steps(3)), Shuffle()), 0
    ),
    ("on some channels", OnChannels(1..<3, ContinuousFlow(NetworkField(network), solver: .steps(3))), 0),
  ]

  @Test(arguments: layers.indices) func areThoseWithDensities(index: Int) throws {
    let (name, layer, allowed) = Self.layers[index]
    let (params, _, sample) = try Flow(layer)(Key(0), inputDim: 3, dtype: .float64)
    let alone = try sample(Key(1), params, count: 7)
    let both = try sample.withLogPDF(Key(1), params, count: 7).samples
    let error = abs(alone - both).doubles.max()!
    #expect(error <= allowed, "\(name): \(error)")
    #expect(alone.isFinite && alone.shape == [7, 3])
  }

  /// A field that counts the derivatives along it: draws alone need none.
  @Test func needNoTrace() throws {
    let field = CountingField()
    let (params, logPDF, sample) = try Flow(ContinuousFlow(field, solver: .steps(2), logDet: .trace))(
      Key(0), inputDim: 3)
    let draws = try sample(Key(1), params, count: 4)
    #expect(field.counter.count == 0)
    _ = try logPDF(params, draws)
    #expect(field.counter.count > 0)
  }

  @Test func refuseTheSameArguments() throws {
    let (params, _, sample) = try Flow(ContinuousFlow(NetworkField(Self.network), solver: .steps(2)))(
      Key(0), inputDim: 3)
    #expect(throws: FlowError.self) { try sample(Key(1), Params.empty, count: 2) }
    #expect(throws: FlowError.self) { try sample(Key(1), params, count: 2, given: Tensor([[1.0]])) }
    #expect(try sample(Key(1), params, count: 0).shape == [0, 3])
  }
}

/// The field v = −x with a closed trace, whose uses are counted.
private struct CountingField: VelocityField {
  final class Counter: @unchecked Sendable { var count = 0 }
  let counter = Counter()

  func initialize(_ key: Key, at site: Site) throws(FlowError) -> (params: Params, velocity: Velocity) {
    let counter = counter
    return (
      .empty,
      Velocity(
        { _, x, _, _ in -x },
        closedForm: { _, x, _, _ in
          counter.count += 1
          return .init(velocity: -x, trace: -Tensor.ones([x.rows], dtype: x.dtype) * Double(x.shape[1]))
        })
    )
  }
}
