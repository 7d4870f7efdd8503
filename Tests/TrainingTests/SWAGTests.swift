import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct SWAGTests {
  private let flow = Flow(Serial(ElementwiseAffine(), AffineCoupling(MLP(hidden: [4]))))
  private let data = Key(130).normal([90, 2], dtype: .float64)

  private func run(
    _ swag: SWAG, epochs: Int, continuing state: FitState? = nil, freezing: Freezing = .nothing,
    log: FitTests.Log<Params>? = nil
  ) throws -> Fitted {
    try fit(
      flow, to: data, continuing: state, freezing: freezing, key: Key(1), epochs: epochs, batchSize: 30,
      optimizer: swag, validationFraction: 0, progress: .silent
    ) {
      log?.entries.append($0.params)
      return .proceed
    }
  }

  @Test(arguments: [3, 12]) func momentsAreThoseOfTheSnapshots(epochs: Int) throws {
    let (swag, log) = (SWAG(SGD(learningRate: 0.05), every: 3, rank: 4), FitTests.Log<Params>())
    let fitted = try run(swag, epochs: epochs, log: log)
    let posterior = try swag.posterior(of: fitted)
    let path = stack(log.entries.map { $0.flattened() })
    let mean = path.mean(axis: 0)
    #expect(isClose(posterior.mean.flattened(), mean, 1e-12))
    #expect(isClose(fitted.params.flattened(), mean, 1e-12))
    let spread = square(path - mean).mean(axis: 0)
    #expect(isClose(square(posterior.deviation.flattened()), spread / 2, 1e-12))
    let factor = try #require(posterior.factor)
    let kept = min(epochs, 4)
    #expect(factor.shape == [mean.count, kept])
    // The last differences from the mean so far, each place taken in turn.
    var columns = [Tensor?](repeating: nil, count: kept)
    for i in 0..<epochs { columns[i % 4] = path[i] - path[0..<i + 1].mean(axis: 0) }
    let expected = stack(columns.map { $0! }, axis: 1) / (2 * Double(kept - 1)).squareRoot()
    #expect(isClose(factor, expected, 1e-12))
    // Draws have the mean and the variance of both parts.
    let draws = stack(try posterior.samples(3_000, key: Key(2)).members.map { $0.flattened() })
    let variance = posterior.variance.flattened()
    #expect(isClose(variance, spread / 2 + square(factor).sum(axis: 1), 1e-12))
    let measured = square(draws - mean).mean(axis: 0)
    #expect(isClose((measured + 1e-12) / (variance + 1e-12), .ones(mean.shape, dtype: .float64), 0.15))
  }

  @Test func tailsGoOnWithTheSameBits() throws {
    let swag = SWAG(SGD(learningRate: 0.05), every: 2, rank: 3)
    let whole = try run(swag, epochs: 6)
    for threads in [1, 2, 8] {
      let other = try Parallelism.$threads.withValue(threads) { try run(swag, epochs: 6) }
      #expect(other.state.optimizer.isIdentical(to: whole.state.optimizer))
    }
    let half = try run(swag, epochs: 2)
    let rest = try run(swag, epochs: 6, continuing: half.state)
    #expect(rest.state.optimizer.isIdentical(to: whole.state.optimizer))
  }

  @Test func frozenLeavesStay() throws {
    let swag = SWAG(SGD(learningRate: 0.05), every: 2, rank: 3)
    let fitted = try run(swag, epochs: 6, freezing: ["bijection/0"])
    let samples = try swag.posterior(of: fitted).samples(3, key: Key(0))
    let (params, logPDF, _) = try flow(Key(1).folded(in: 0), inputDim: 2, dtype: .float64)
    #expect(samples.members[2][path: "bijection/0"]!.isIdentical(to: params[path: "bijection/0"]!))
    #expect(try logPDF(samples, data).isFinite)
  }

  @Test func wrongFitsAreRefused() throws {
    let swag = SWAG(SGD(learningRate: 0.05), every: 4, rank: 3)
    let short = try run(swag, epochs: 2)
    let error = #expect(throws: FlowError.self) { try swag.posterior(of: short) }
    #expect(error?.description == "SWAG: expected a fit with at least 2 snapshots, got 1")
    #expect(short.params.isIdentical(to: short.params))
    let other = try fit(
      flow, to: data, key: Key(1), epochs: 2, optimizer: Adam(learningRate: 0.01), progress: .silent)
    #expect(throws: FlowError.self) { try swag.posterior(of: other) }
    let long = try run(SWAG(SGD(learningRate: 0.05), every: 1, rank: 2), epochs: 4)
    #expect(throws: FlowError.self) { try swag.posterior(of: long) }
  }
}
