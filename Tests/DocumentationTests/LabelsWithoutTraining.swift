import Flows
import Testing

/// The code of the article LabelsWithoutTraining, block by block to the letter.
// swift-format-ignore
func labelsWithoutTraining(_ data: Tensor) throws -> (densities: Tensor, draws: Tensor, fitted: Double) {
  // block 1
  let (scale, forward, inverse) = try Standardize(of: data)(Key(0), inputDim: 2)
  let rows = try forward(scale, data).outputs
  let (training, heldOut) = (rows[0..<400], rows[400..<500])
  let density = try KernelDensity(of: training, choosingBy: heldOut)
  let score = TrainingFreeScore(of: training, bandwidth: density.bandwidth)
  let pairs = try score.pairs(Key(0), count: 2_000)
  // end
  // block 2
  let diffusion = Flow(ContinuousFlow(score, solver: .steps(10)))
  let (own, logPDF, _) = try diffusion(Key(0), inputDim: 2)
  let densities = try logPDF(own, heldOut)
  // end
  // block 3
  let network = MLP(hidden: [64, 64], activation: .tanh, lastWeight: .glorotUniform)
  let generator = try fit(network, toPairs: pairs, key: Key(1), epochs: 20)
  let draws = try generator(Key(2), count: 500)

  let flow = Flow.neuralSpline(layers: 3, hidden: [32, 32])
  let regressed = try fit(flow, toPairs: pairs, likelihood: 0.1, key: Key(3), epochs: 10)
  let fitted = try fit(flow, to: training, start: regressed.params, key: Key(4), epochs: 5)
  // end
  // block 4
  let memorization = try Memorization(of: draws, training: training, fresh: heldOut)
  print(memorization.ratio)   // about 1: as far as fresh rows; about 0: copies
  // end
  let (params, kernel, _) = try density(Key(0), inputDim: 2)
  #expect(abs((densities - (try kernel(params, heldOut))).mean().item) < 0.05)
  #expect(memorization.ratio > 0.5 && memorization.ratio < 2)
  _ = try inverse(scale, draws)
  return (densities, draws, try fitted.logPDF(fitted.params, heldOut).mean().item)
}
