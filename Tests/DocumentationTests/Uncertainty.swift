import Flows
import Testing

/// The code of the article Uncertainty, block by block to the letter.
// swift-format-ignore
func uncertainty(_ rows: Tensor) throws -> (
  ensemble: Tensor, single: Tensor, band: (lower: Tensor, upper: Tensor), parts: VarianceParts,
  members: [Int]
) {
  // block 1
  let flow = Flow.realNVP(layers: 4, hidden: [16])
  let fits = try fit(flow, to: rows, keys: Key(0).split(5), epochs: 20)
  let samples = try ParameterSamples(fits)
  let (logPDF, sample) = (fits[0].logPDF, fits[0].sample)

  let density = try logPDF(samples, rows)                     // log Σ w p(x), one number per row
  let draws = try sample(Key(1), samples, count: 1_000)       // each from a member by weight
  // end
  // block 2
  let edges = stride(from: -3.0, through: 3, by: 0.5).map { $0 }
  let shares = try samples.evaluate { params in
    let x = try sample(Key(2), params, count: 5_000)
    return try binShares(of: x.sliced(axis: 1, 0..<1), edges: edges)
  }
  let (lower, upper) = shares.band(0.68)
  print(shares.mean, shares.deviation, lower, upper)
  // end
  // block 3
  let parts = try samples.variance(of: sample, key: Key(3), draws: 5_000)
  print(parts.aleatoric, parts.epistemic, parts.total)

  let spread = try samples.evaluate { try logPDF($0, rows) }.deviation   // [rows]: where members differ
  // end
  // block 4
  let bayesian = MeanField(flow)
  let variational = try fit(
    bayesian, to: rows, by: .variationalWeights(prior: 1), key: Key(4), epochs: 50,
    validationFraction: 0)
  let weights = try bayesian.posterior(of: variational.state.params).samples(50, key: Key(5))
  let bayesianDensity = try logPDF(weights, rows)
  // end
  // block 5
  let posterior = try laplacePosterior(
    logPDF, fits[0].params, of: rows, over: ["bijection/*/net/dense_1"], covariance: .full)
  let lastLayers = try posterior.samples(50, key: Key(6))
  // end
  // block 6
  let swag = SWAG(SGD(learningRate: 0.01), every: 10)
  let tail = try fit(
    flow, to: rows, start: fits[0].params, key: Key(7), epochs: 30, optimizer: swag,
    validationFraction: 0)
  let averaged = try swag.posterior(of: tail).samples(50, key: Key(8))
  // end
  // block 7
  try SafeTensors(samples.params).write(to: "ensemble.safetensors")
  let again = try ParameterSamples(
    SafeTensors.read("ensemble.safetensors"), like: flow(Key(0), inputDim: 2).params)
  // end
  #expect(draws.shape == [1_000, 2] && spread.shape == [rows.rows] && bayesianDensity.isFinite)
  return (density, try logPDF(fits[0].params, rows), (lower, upper), parts,
    [samples.count, weights.count, lastLayers.count, averaged.count, again.count])
}
