import Flows
import Testing

/// The code of the article ContinuousFlows, block by block to the letter.
// swift-format-ignore
func continuousFlows(_ data: Tensor) throws -> (likelihood: Double, matched: Double, draws: Tensor) {
  // block 1
  let fitted = try fit(
    Flow.otFlow(width: 16, steps: 4), to: data, by: .otFlow(likelihood: 30, optimality: 1),
    evaluation: Flow.otFlow(width: 16, steps: 8), key: Key(0), epochs: 10, batchSize: 128,
    optimizer: Adam(learningRate: 0.03))
  let draws = try fitted.sample(Key(1), fitted.params, count: 500)
  // end
  // block 2
  let flow = ContinuousFlow(OTFlowPotential(width: 16), solver: .steps(8))
  let report = try flow.diagnosis(fitted.params.child("bijection"), data[0..<100])
  print(report.evaluations[0], report.solverErrors.max()!, report.inverseErrors.max()!)
  let paths = try flow.trajectories(fitted.params.child("bijection"), data[0..<100])
  let picture = PathPlot("Transport", paths: paths)
  // end
  // block 3
  let network = MLP(hidden: [32, 32], activation: .softplus)
  let matched = try fit(
    Flow(ContinuousFlow(NetworkField(network), solver: .steps(8))), to: data,
    by: FlowMatching(.optimalTransport), key: Key(2), epochs: 10, batchSize: 128,
    optimizer: Adam(learningRate: 0.01))
  let densities = try matched.logPDF(matched.params, data)
  // end
  #expect(!picture.svg.isEmpty && report.lostRows.isEmpty && report.evaluations[0] == 41)
  let likelihood = try fitted.logPDF(fitted.params, data).mean().item
  return (likelihood, densities.mean().item, draws)
}
