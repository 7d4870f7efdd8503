import Flows
import Testing

/// The code of the article VariationalInference, block by block to the letter.
// swift-format-ignore
func variationalInference() throws -> (logEvidence: Double, paretoK: Double) {
  // block 1
  // Two numbers of which the second follows the first; the true constant is log(2π).
  let target = Target("ridge", inputDim: 2) { (x) throws(FlowError) in
    let (a, b) = (x.sliced(axis: 1, 0..<1), x.sliced(axis: 1, 1..<2))
    return (-0.5 * square(a) - 0.5 * square(b - a)).sumPerRow()
  }
  let flow = Flow.realNVP(layers: 4, hidden: [16])
  let fitted = try fit(
    flow, to: target, by: .reverseKL(draws: 128), key: Key(0), iterations: 300,
    optimizer: Adam(learningRate: 0.01))
  // end
  // block 2
  let weights = try ImportanceWeights(
    fitted.sample, fitted.params, of: target, key: Key(1), draws: 4_000)
  print(weights.elbo, weights.logEvidence, weights.effectiveSampleSize, weights.paretoK)
  // end
  // block 3
  // θ ~ N(0, 1) and c | θ ~ N(θ, 1): the posterior of θ is N(c / 2, 1/2).
  let posterior = Target("posterior", inputDim: 1, contextDim: 1) { theta, c in
    (-0.5 * square(theta) - 0.5 * square(c - theta)).sumPerRow()
  }
  let measurements = 1.4 * Key(2).normal([500, 1])
  let amortised = try fit(
    ConditionalNormal(MLP(hidden: [])), to: posterior, given: measurements, by: .reverseKL(draws: 16),
    key: Key(3), iterations: 300, optimizer: Adam(learningRate: 0.03))
  let draws = try amortised.sample(Key(4), amortised.params, count: 1_000, given: Tensor([[1.5]]))
  // end
  #expect(abs(draws.mean().item - 0.75) < 0.1)
  return (weights.logEvidence, weights.paretoK)
}
