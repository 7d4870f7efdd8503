import Flows

/// What the README's example makes, for the test to look at.
struct ReadmeResults {
  let data, latents, logDet, restored, draws: Tensor
  let initial, trained: Params
  let logPDF: LogPDF
}

/// The README's example between the marks, to the letter.
// swift-format-ignore
func readmeExample() throws -> ReadmeResults {
  // README begin
  // 500 points on a noisy parabola.
  let x = Key(0).normal([500])
  let data = stack([x, square(x) + 0.2 * Key(1).normal([500])], axis: 1)

  // A bijection is a value. A key and an input dimension turn it into parameters and two pure functions.
  let coupling = AffineCoupling(MLP(hidden: [64, 64]))
  let bijection = Serial(Standardize(of: data), coupling, Reverse(), coupling)
  let (params, forward, inverse) = try bijection(Key(2), inputDim: 2)
  let (latents, logDet) = try forward(params, data)                      // [500, 2], [500]

  // A bijection with a prior is a distribution, a flow.
  let fitted = try fit(Flow(bijection, prior: Normal()), to: data, key: Key(3), epochs: 100)
  let draws = try fitted.sample(Key(4), fitted.params, count: 500)       // [500, 2]
  print(try fitted.logPDF(fitted.params, draws).mean())                  // nats per row

  // Trust it: log-determinants of both directions against Jacobians by dual numbers.
  try LogDetCheck(of: bijection, inputDim: 2, key: Key(5)).verify()
  // README end
  return ReadmeResults(
    data: data, latents: latents, logDet: logDet, restored: try inverse(params, latents).outputs,
    draws: draws, initial: params, trained: fitted.params, logPDF: fitted.logPDF)
}
