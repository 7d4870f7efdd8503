import Bijections
import Distributions
import Integration
import Networks
import Randomness
import TestSupport
import Tensors
import Testing
import Training

/// x′ = rate · x², which reaches infinity in finite time.
private struct Exploding: VelocityField {
  func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, velocity: Velocity) {
    (["rate": .leaf(.ones([], dtype: site.dtype))], Velocity { params, x, _, _ in params["rate"] * x * x })
  }
}

/// Fits of continuous flows to awkward data.
@Suite struct ContinuousFitTests {
  /// Row 23 of 300 leaves the numbers.
  private var rows: Tensor {
    concatenate([0.1 * wave([23, 1]), Tensor([[5]], dtype: .float64), 0.1 * wave([276, 1])], axis: 0)
  }

  private func fitted(_ flow: Flow, weights: Tensor? = nil) throws -> Fitted {
    try fit(
      flow, to: rows, by: RegularizedLikelihood(), weights: weights, key: Key(1), epochs: 1, batchSize: 300,
      optimizer: SGD(learningRate: 0.01), validationFraction: 0, progress: .silent)
  }

  @Test(arguments: [Solver.steps(4), .tolerance(relative: 1e-4, absolute: 1e-4)])
  func aFieldThatBlowsUp(_ solver: Solver) throws {
    let error = #expect(throws: FlowError.self) {
      try fitted(Flow(ContinuousFlow(Exploding(), solver: solver, logDet: .trace)))
    }
    guard case .diverged("fit", 0, "the loss", let lastGood)? = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect(lastGood.leaves.allSatisfy { $0.isFinite })
  }

  /// With `.throw`, a likelihood's error names the row of the data, whatever its batch and its shard.
  @Test func theErrorNamesTheRowOfTheData() throws {
    let flow = Flow(ContinuousFlow(Exploding(), solver: .steps(4), logDet: .trace, onFailure: .throw))
    for weights in [nil, Tensor([0, 0] + [Double](repeating: 1, count: 298), dtype: .float64)] {
      let error = #expect(throws: FlowError.self) {
        try fit(
          flow, to: rows, weights: weights, key: Key(1), epochs: 1, batchSize: 300,
          optimizer: SGD(learningRate: 0.01), validationFraction: 0, progress: .silent)
      }
      #expect(error?.description.hasSuffix("in row 23") == true, "\(error as Any)")
    }
    // In pieces of a density, too.
    let (params, logPDF, _) = try flow(Key(0), inputDim: 1, dtype: .float64)
    let error = #expect(throws: FlowError.self) { try logPDF.inChunks(params, rows, of: 10) }
    #expect(error?.description.hasSuffix("in row 23") == true, "\(error as Any)")
  }

  /// One row, and one number per row: the losses are finite, and so are densities and draws.
  @Test func oneRowOfOneNumber() throws {
    let row = Tensor([[0.3]])
    let network = MLP(hidden: [3], activation: .tanh)
    func check(_ flow: Flow, _ objective: some Objective) throws {
      let fitted = try fit(
        flow, to: row, by: objective, key: Key(1), epochs: 3, batchSize: 4, progress: .silent)
      #expect(fitted.history.count == 3 && fitted.history.allSatisfy { $0.trainingLoss.isFinite })
      #expect(try fitted.logPDF(fitted.params, row).isFinite)
      #expect(try fitted.sample(Key(2), fitted.params, count: 2).isFinite)
    }
    try check(.otFlow(width: 2, steps: 2), .otFlow())
    try check(.cnf(hidden: [3], solver: .tolerance(relative: 1e-3, absolute: 1e-3)), .rnode())
    let matched = Flow(ContinuousFlow(NetworkField(network), solver: .steps(2)))
    try check(matched, FlowMatching(.optimalTransport))
    try check(.residual(layers: 1, hidden: [3]), .rouletteLikelihood(exactDimension: 0))
    try check(.autm(layers: 1, hidden: [3], steps: 2), .maximumLikelihood)
  }

  @Test func settingsThatCannotRunAreErrors() throws {
    func text(_ flow: Flow) -> String {
      let error = #expect(throws: FlowError.self) {
        try fit(flow, to: Tensor([[0.3], [0.4]]), by: .otFlow(), key: Key(1), progress: .silent)
      }
      return error.map { "\($0)" } ?? ""
    }
    let none = text(.otFlow(width: 2, steps: 0))
    #expect(none == "ContinuousFlow: expected a number of steps from 1 to 1000000, got 0")
    let fine = Flow.cnf(solver: .tolerance(relative: 1e-8, absolute: 1e-8))
    #expect(text(fine).hasPrefix("ContinuousFlow: expected a relative tolerance from"))
    let coupling = Flow.realNVP(layers: 1, hidden: [2])
    #expect(text(coupling).hasPrefix("RegularizedLikelihood: expected a flow with a continuous layer"))
  }
}
