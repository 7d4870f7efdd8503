import Bijections
import Foundation
import Integration
import Networks
import Randomness
import TestSupport
import Tensors
import Testing

/// A flow that `Tests/Fixtures/make_continuous.py` computed with zuko.
private struct ContinuousCase: Decodable, Sendable, CustomTestStringConvertible {
  let hidden: [Int]
  let frequencies: Int
  let params: [String: FixtureArray]
  let x, y, logDet, inverse, inverseLogDet: FixtureArray
  let context: FixtureArray?

  var testDescription: String { "\(x.shape), hidden \(hidden)" }

  static let all: [ContinuousCase] = {
    struct File: Decodable { let cases: [ContinuousCase] }
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/continuous.json")
    return (try? JSONDecoder().decode(File.self, from: Data(contentsOf: url)))?.cases ?? []
  }()
}

@Suite struct ContinuousReferenceTests {
  @Test func casesAreRead() { #expect(ContinuousCase.all.count == 3) }

  /// Small tolerances and many equal steps give the numbers of zuko, in both modes of the log-det.
  ///
  /// The slope of ELU has a kink, which costs both solvers digits.
  @Test(arguments: ContinuousCase.all)
  private func numbersOfZuko(_ item: ContinuousCase) throws {
    let field = NetworkField(
      MLP(hidden: item.hidden, activation: .elu), frequencies: item.frequencies)
    for (solver, logDet, error) in [
      (Solver.tolerance(relative: 1e-10, absolute: 1e-10), ContinuousFlow.LogDet.trace, 3e-7),
      (.steps(40), .discrete, 1e-4), (.steps(40), .trace, 1e-4),
    ] {
      let flow = ContinuousFlow(field, solver: solver, logDet: logDet)
      let (initial, forward, inverse) = try flow(
        Key(0), inputDim: Shape([item.x.shape[1]]),
        contextDim: item.context.map { Shape([$0.shape[1]]) }, dtype: .float64)
      let params = try initial.setting(item.params)
      let context = item.context?.tensor
      let there = try forward(params, item.x.tensor, given: context)
      #expect(isClose(there.outputs, item.y.tensor, error))
      #expect(isClose(there.logDet, item.logDet.tensor, error))
      let back = try inverse(params, item.x.tensor, given: context)
      #expect(isClose(back.outputs, item.inverse.tensor, error))
      #expect(isClose(back.logDet, item.inverseLogDet.tensor, error))
    }
  }
}
