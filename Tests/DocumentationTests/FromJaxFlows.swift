import Flows

/// The code of the article FromJaxFlows, block by block to the letter.
// swift-format-ignore
func fromJaxFlows(data: Tensor) throws -> (scores: Tensor, draws: Tensor) {
  // block 1
  // flows.Flow(flows.Serial(*(flows.MADE(transform), flows.Reverse()) * 5), flows.Normal())
  let flow = Flow(
    Serial(
      (0..<5).flatMap { _ -> [any Bijection] in [Autoregressive(MADE(hidden: [64, 64])), Reverse()] }),
    prior: Normal())

  // params, log_pdf, sample = init_fun(random.PRNGKey(0), 2)
  let (params, logPDF, sample) = try flow(Key(0), inputDim: 2)

  // log_pdf(params, X); sample(random.PRNGKey(1), params, 100)
  let scores = try logPDF(params, data)
  let draws = try sample(Key(1), params, count: 100)
  // end
  return (scores, draws)
}
