import Bijections
import Distributions
import Integration
import Randomness
import TestSupport
import Tensors
import Testing

/// The continuous presets as distributions.
@Suite struct ContinuousPresetTests {
  private static let flows: [Flow] = [
    .otFlow(width: 6, steps: 12), .otFlow(.moons), .cnf(hidden: [8]),
    .ffjord(hidden: [8], stages: 2, solver: .tolerance(relative: 1e-5, absolute: 1e-6)),
  ]

  /// Draws come with their log-densities, to the error of the solver; the context reaches the field.
  @Test(arguments: 0..<4) func drawsHaveTheirDensities(_ i: Int) throws {
    let flow = Self.flows[i]
    let (params, logPDF, sample) = try flow(Key(1), inputDim: 2, contextDim: 1)
    let moved = params.mapLearned { $0 + 0.1 * wave($0.shape, phase: 1, dtype: .float32) }
    let context = wave([20, 1], dtype: .float32)
    let (x, own) = try sample.withLogPDF(Key(2), moved, count: 20, given: context)
    let density = try logPDF(moved, x, given: context)
    #expect(isClose(own, density, 0.02))
    #expect(!isClose(try logPDF(moved, x, given: -context), density, 0.02))
  }

  /// float32 reaches the default tolerances, near the origin and far from it.
  @Test func defaultTolerancesAreReached() throws {
    let x = Tensor([[0, 0], [1e-4, -1e-3], [1, -2], [30, 5]])
    for flow in [Flow.ffjord(hidden: [16]), .cnf(hidden: [16])] {
      let (params, logPDF, _) = try flow(Key(5), inputDim: 2)
      let moved = params.mapLearned { $0 + 0.1 * wave($0.shape, phase: 2, dtype: .float32) }
      #expect(try logPDF(moved, x).isFinite)
      let layer = try #require(
        flow.bijection as? ContinuousFlow ?? flow.bijection.members[0] as? ContinuousFlow)
      let own = moved.child("bijection")
      let diagnosis = try layer.diagnosis(flow.bijection is ContinuousFlow ? own : own.child(0), x)
      #expect(diagnosis.lostRows.isEmpty && diagnosis.evaluations.allSatisfy { $0 < 600 })
      #expect(diagnosis.inverseErrors.allSatisfy { $0 < 1e-3 }, "\(diagnosis)")
    }
  }

  /// The tree does not depend on the solver, so that `fit` can judge by another one.
  @Test func parametersDoNotDependOnTheSolver() throws {
    let (a, b) = (
      try Flow.otFlow(.miniboone)(Key(3), inputDim: 4),
      try Flow.otFlow(.miniboone, steps: 18)(Key(3), inputDim: 4)
    )
    #expect(a.params.isIdentical(to: b.params))
    #expect(throws: Never.self) { try b.logPDF.boundary.check(a.params) }
    #expect(OTFlowSettings.miniboone.trainingSteps == 6 && OTFlowSettings.miniboone.testSteps == 18)
  }
}
